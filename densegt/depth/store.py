"""The depth store: a folder with one HDF5 file a scene, readable by plain h5py. The only file that imports h5py.

<scene name>.h5
  attributes: format, format_version, densegt_version, config (JSON)
  /<sample_token>/<CHANNEL>/depth   uint16 (H,W)  metres x 256, rounded; 0 = none
  /<sample_token>/<CHANNEL>/source  uint8  (H,W)  codes of `Source`
  /<sample_token>/<CHANNEL>/age     int16  (H,W)  milliseconds from exposure to the measurement
  attributes of the image's group: sample_data_token, filename, timestamp_us, K, T_global_cam
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np
from numpy.typing import NDArray

import densegt
from densegt.datasets.scene import Camera
from densegt.depth.depth_map import DepthMap
from densegt.errors import InputError

FORMAT = "densegt-depth"
FORMAT_VERSION = 1
STEPS_PER_M = 256.0
MAX_DEPTH_M = 65535 / STEPS_PER_M

_COMPRESSION: dict[str, Any] = {"compression": "gzip", "compression_opts": 1, "shuffle": True}


@dataclass(frozen=True)
class ImageRecord:
    """One image of a store.

    Attributes:
        depth_m: (H,W) float32, 0 = none.
        source: (H,W) uint8.
        layers: further layers by name, as stored (`age` in ms, `object_id`, ...).
        K: (3,3) px; T_global_cam: (4,4).
    """

    scene: str
    sample_token: str
    channel: str
    sample_data_token: str
    filename: str
    timestamp_us: int
    K: NDArray[np.float64]
    T_global_cam: NDArray[np.float64]
    depth_m: NDArray[np.float32]
    source: NDArray[np.uint8]
    layers: Mapping[str, NDArray[Any]]


def encode_depth(depth_m: NDArray[np.floating[Any]]) -> NDArray[np.uint16]:
    """Metres to uint16 steps of 1/256 m. What is not finite, not positive or beyond 255.99 m becomes 0."""
    known = np.isfinite(depth_m) & (depth_m > 0) & (depth_m <= MAX_DEPTH_M)
    steps: NDArray[np.uint16] = np.rint(np.where(known, depth_m, 0) * STEPS_PER_M).astype(np.uint16)
    return steps


def decode_depth(steps: NDArray[np.uint16]) -> NDArray[np.float32]:
    """uint16 steps to metres (float32, exact)."""
    return steps.astype(np.float32) / np.float32(STEPS_PER_M)


class SceneWriter:
    """Writes one scene's file; it appears under its final name only when `with` ends without an error."""

    def __init__(self, folder: Path, scene: str, config: Mapping[str, Any], *, overwrite: bool = False) -> None:
        self.path = Path(folder) / f"{scene}.h5"
        if self.path.exists() and not overwrite:
            raise InputError(f"{self.path}: exists already; --overwrite replaces it")
        self._partial = self.path.with_name(f".{self.path.name}.{os.getpid()}.partial")
        self._config = json.dumps(config, sort_keys=True)

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = h5py.File(self._partial, "w")
        self._file.attrs["format"] = FORMAT
        self._file.attrs["format_version"] = FORMAT_VERSION
        self._file.attrs["densegt_version"] = densegt.__version__
        self._file.attrs["config"] = self._config
        return self

    def write(self, camera: Camera, depth: DepthMap, layers: Mapping[str, NDArray[Any]] | None = None) -> None:
        """Add one image with its depth, source, age and any further layers (H,W)."""
        age_ms = np.clip(np.rint(depth.age_s * 1e3), -32768, 32767).astype(np.int16)
        self.write_layers(
            camera, {"depth": encode_depth(depth.depth_m), "source": depth.source, "age": age_ms, **(layers or {})}
        )

    def write_layers(self, camera: Camera, layers: Mapping[str, NDArray[Any]]) -> None:
        """Add one image from layers already in the store's own types; `depth` and `source` must be among them."""
        group = self._file.create_group(f"{camera.sample_token}/{camera.channel}")
        for name, layer in layers.items():
            if layer.shape != (camera.height_px, camera.width_px):
                raise ValueError(
                    f"{camera.channel}: layer {name} is {layer.shape}, image {camera.height_px, camera.width_px}"
                )
            group.create_dataset(name, data=layer, chunks=layer.shape, **_COMPRESSION)
        group.attrs["sample_data_token"] = camera.token
        group.attrs["filename"] = camera.filename
        group.attrs["timestamp_us"] = camera.timestamp_us
        group.attrs["K"] = camera.K
        group.attrs["T_global_cam"] = camera.T_global_cam

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._file.close()
            if kind is None:
                os.replace(self._partial, self.path)
        finally:
            self._partial.unlink(missing_ok=True)


def scene_files(folder: Path) -> list[Path]:
    """The store's files in order of name.

    Raises:
        InputError: the folder is missing or holds no `.h5`.
    """
    if not Path(folder).is_dir():
        raise InputError(f"{folder}: no such folder; a depth store is a folder of <scene>.h5")
    files = sorted(p for p in Path(folder).glob("*.h5") if not p.name.startswith("."))
    if not files:
        raise InputError(f"{folder}: no .h5 file in it; `densegt accumulate --out {folder}` writes one a scene")
    return files


def _open(path: Path) -> h5py.File:
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise InputError(f"{path}: not a readable HDF5 file ({error})") from None
    if file.attrs.get("format") != FORMAT:
        file.close()
        raise InputError(f"{path}: an HDF5 file, but not a depth store (attribute format is not {FORMAT!r})")
    version = file.attrs.get("format_version")
    if not isinstance(version, (int, np.integer)) or version > FORMAT_VERSION:
        file.close()
        raise InputError(
            f"{path}: format version {version!r}; this densegt reads up to {FORMAT_VERSION}. Update densegt"
        )
    return file


class SceneReader:
    """Reads one scene's file, image by image."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self.scene = self.path.stem
        with _open(self.path) as file:
            try:
                self.config: dict[str, Any] = json.loads(str(file.attrs["config"]))
                stamps = {(s, c): int(file[s][c].attrs["timestamp_us"]) for s in file for c in file[s]}
            except (KeyError, ValueError, TypeError, AttributeError, IndexError, OSError, RuntimeError) as error:
                raise InputError(f"{self.path}: a depth store that is damaged ({error})") from None
        self.keys: list[tuple[str, str]] = sorted(stamps, key=lambda k: (stamps[k], k))
        self._known = frozenset(stamps)

    def __len__(self) -> int:
        return len(self.keys)

    def __contains__(self, key: tuple[str, str]) -> bool:
        return key in self._known

    def __iter__(self) -> Iterator[ImageRecord]:
        for sample_token, channel in self.keys:
            yield self.read(sample_token, channel)

    def read(self, sample_token: str, channel: str) -> ImageRecord:
        """One image with all its layers.

        Raises:
            InputError: no such image here, or its data is damaged.
        """
        with _open(self.path) as file:
            try:
                group = file[f"{sample_token}/{channel}"]
                layers = {name: np.asarray(data) for name, data in group.items()}
                return ImageRecord(
                    scene=self.scene,
                    sample_token=sample_token,
                    channel=channel,
                    sample_data_token=str(group.attrs["sample_data_token"]),
                    filename=str(group.attrs["filename"]),
                    timestamp_us=int(group.attrs["timestamp_us"]),
                    K=np.asarray(group.attrs["K"], dtype=np.float64),
                    T_global_cam=np.asarray(group.attrs["T_global_cam"], dtype=np.float64),
                    depth_m=decode_depth(layers.pop("depth")),
                    source=layers.pop("source"),
                    layers=layers,
                )
            except (KeyError, ValueError, TypeError, AttributeError, OSError) as error:
                raise InputError(f"{self.path}: cannot read {sample_token}/{channel} ({error})") from None
