"""The shape prior: a decoder, and where the codes of each family lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from densegt.errors import InputError
from densegt.shapes.decoder import CODE, ShapeDecoder

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Family:
    """Codes of one kind of vehicle: `mean + basis @ w`, with w of normal distribution.

    Attributes:
        mean: (8,); basis: (8,8), its columns the principal axes times their deviations.
        size_lwh_m: (3,) mean; size_sigma_m: (3,).
    """

    mean: Float64
    basis: Float64
    size_lwh_m: Float64
    size_sigma_m: Float64

    @classmethod
    def of(cls, codes: Float64, sizes: Float64) -> Family:
        """Through codes (N,8) and sizes (N,3) of its members."""
        mean = codes.mean(axis=0)
        _, deviation, axes = np.linalg.svd(codes - mean, full_matrices=True)
        scale = np.zeros(CODE)
        scale[: len(deviation)] = deviation[:CODE] / np.sqrt(max(len(codes) - 1, 1))
        return cls(mean, axes.T * np.maximum(scale, 0.02 * scale.max()), sizes.mean(axis=0), sizes.std(axis=0))


@dataclass(frozen=True)
class ShapePrior:
    """A decoder, not to be trained any more, and its families by name."""

    decoder: ShapeDecoder
    families: Mapping[str, Family]

    @classmethod
    def of(cls, decoder: ShapeDecoder, codes: Float64, names: Sequence[str], sizes: Float64) -> ShapePrior:
        """From the codes (N,8) of training shapes, their families' names and sizes (N,3)."""
        rows = {name: np.array([n == name for n in names]) for name in dict.fromkeys(names)}
        families = {name: Family.of(codes[of], sizes[of]) for name, of in rows.items()}
        return cls(decoder.eval().requires_grad_(False), families)

    def save(self, path: Path) -> None:
        """Write it as an npz of numbers alone."""
        arrays: dict[str, NDArray[Any]] = {f"decoder/{k}": v.numpy() for k, v in self.decoder.state_dict().items()}
        for name, family in self.families.items():
            for key in ("mean", "basis", "size_lwh_m", "size_sigma_m"):
                arrays[f"family/{name}/{key}"] = getattr(family, key).astype(np.float32)
        with path.open("wb") as file:
            np.savez_compressed(file, **arrays)

    @classmethod
    def load(cls, path: Path) -> ShapePrior:
        """Read what `save` wrote.

        Raises:
            InputError: it is not there, or is no shape prior.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            decoder = ShapeDecoder()
            states = {k.removeprefix("decoder/"): _tensor(v) for k, v in arrays.items() if k.startswith("decoder/")}
            decoder.load_state_dict(states)
            names = dict.fromkeys(key.split("/")[1] for key in arrays if key.startswith("family/"))
            families = {name: _family(arrays, name) for name in names}
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror or 'not an npz'})") from None
        except (ValueError, KeyError, IndexError, RuntimeError, TypeError, BadZipFile, EOFError) as error:
            raise InputError(f"{path}: no shape prior ({' '.join(str(error).split())[:100]})") from None
        if not families:
            raise InputError(f"{path}: no shape prior (no family)")
        return cls(decoder.eval().requires_grad_(False), families)


def _tensor(values: NDArray[Any]) -> Tensor:
    if not np.isfinite(values).all():
        raise ValueError("a weight is not finite")
    return torch.from_numpy(values.astype(np.float32))


def _family(arrays: Mapping[str, NDArray[Any]], name: str) -> Family:
    shapes = {"mean": (CODE,), "basis": (CODE, CODE), "size_lwh_m": (3,), "size_sigma_m": (3,)}
    parts = {key: arrays[f"family/{name}/{key}"].astype(np.float64) for key in shapes}
    for key, shape in shapes.items():
        if parts[key].shape != shape or not np.isfinite(parts[key]).all():
            raise ValueError(f"{name}: {key} must be finite and {shape}")
    return Family(**parts)
