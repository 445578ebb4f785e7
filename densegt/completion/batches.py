"""Batches: examples drawn, guessed at and stacked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from densegt.completion.baselines import nearest, plane
from densegt.completion.calibration import ACCUMULATED, ONE_SWEEP
from densegt.completion.classical import Classical
from densegt.completion.examples import Example, ExampleKey, read_example
from densegt.completion.features import Features, features_of
from densegt.completion.method import SparseDepth
from densegt.completion.sampling import draw_example
from densegt.completion.sparsify import scanned

Float32 = NDArray[np.float32]
# What validation gives: the other store's depth or the accumulated, scanned by so many beams, or by all of them (0).
TRIALS = {ONE_SWEEP: (-1, 0), ACCUMULATED: (0, 0), "16 beams": (0, 16), "4 beams": (0, 4)}


class Crops(Dataset[dict[str, Tensor]]):
    """Random crops, without end; the same seed and index give the same crop.

    Args:
        size: (height, width) px.
        draws: crops of each image an epoch.
    """

    def __init__(
        self, keys: Sequence[ExampleKey], size: tuple[int, int], draws: int, seed: int, keep_images: int
    ) -> None:
        self._keys, self._size, self._draws, self._seed = list(keys), size, draws, seed
        self._keep_images = keep_images
        self._classical = Classical()

    def __len__(self) -> int:
        """Of one epoch."""
        return len(self._keys) * self._draws

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        rng = np.random.default_rng((self._seed, index))
        key = self._keys[index % len(self._keys)]
        drawn = draw_example(reader(self._keep_images)(key), self._size, rng)
        features = features_of(drawn.given, self._classical)
        return stacked(features, drawn.target_m, drawn.weight, drawn.exact, inner=drawn.inner)


class Trials(Dataset[dict[str, Tensor]]):
    """Whole images for validation, each with every input of TRIALS; the same ones each time."""

    def __init__(self, keys: Sequence[ExampleKey]) -> None:
        self._trials = [(key, name) for key in keys for name in trials_of(key)]
        self._classical = Classical()

    def __len__(self) -> int:
        return len(self._trials)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        key, name = self._trials[index]
        example = read_example(key)
        given = trial_of(example, TRIALS[name], np.random.default_rng(index))
        # An error counts here as much on a mover as on the road.
        weight = np.minimum(example.weight, 1)
        item = stacked(features_of(given, self._classical), example.target_m, weight, example.exact)
        simple = {"nearest_m": nearest(given.depth_m), "plane_m": plane(given.depth_m)}
        item["trial"] = torch.tensor(list(TRIALS).index(name))
        return item | {name: torch.from_numpy(depth_m)[None] for name, depth_m in simple.items()}


def trials_of(key: ExampleKey) -> list[str]:
    """Those of TRIALS for which an image has what they give, and which are not themselves the target."""
    without = set()
    if key.sources.input is None:
        without.add(ONE_SWEEP)
    if key.sources.truth is None:
        without.add(ACCUMULATED)
    return [name for name in TRIALS if name not in without]


def trial_of(example: Example, trial: tuple[int, int], rng: np.random.Generator) -> SparseDepth:
    """An input of validation: which store, and by how many beams."""
    which, beams = trial
    given = example.inputs[which]
    return scanned(given, beams, rng) if beams else given


def stacked(
    features: Features,
    target_m: Float32,
    weight: Float32,
    exact: bool,
    *,
    inner: tuple[slice, slice] = (slice(None), slice(None)),
) -> dict[str, Tensor]:
    """Arrays of one image as tensors (C,H,W)."""

    def tensor(array: Float32) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array[..., *inner], np.float32))

    maps = {
        "guess_m": features.guess_m, "sigma_m": features.sigma_m, "sky": features.sky, "known": features.known,
        "target_m": target_m, "weight": weight,
    }  # fmt: skip
    return {
        "channels": tensor(features.channels),
        "exact": torch.tensor(float(exact)),
        **{name: tensor(array)[None] for name, array in maps.items()},
    }


@lru_cache(maxsize=1)
def reader(keep_images: int) -> Callable[[ExampleKey], Example]:
    """`read_example` that keeps so many images in memory, one for each process."""
    return lru_cache(maxsize=keep_images)(read_example) if keep_images else read_example
