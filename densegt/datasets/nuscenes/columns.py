"""SceneRows: what a scene takes from all tables, column by column, with tokens resolved to row numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar, get_args

import msgspec
import numpy as np
from numpy.typing import NDArray

Int32 = NDArray[np.int32]
_MODALITIES = ("camera", "lidar", "radar")


def is_lidar(channel: str, modality: str) -> bool:
    """Whether a sensor is a lidar, whatever its channel is called; by name where the modality says nothing."""
    return modality == "lidar" or (modality not in _MODALITIES and channel.startswith("LIDAR"))


def is_camera(modality: str, intrinsics: list[list[float]]) -> bool:
    """Whether a sensor is a camera; by its intrinsics where the modality says nothing."""
    return modality == "camera" or (modality not in _MODALITIES and bool(intrinsics))


@dataclass(frozen=True)
class Poses:
    """Columns of a table with poses: rotation (N,4) w,x,y,z and translation (N,3) m, float64."""

    tokens: list[str]
    rotation_wxyz: NDArray[np.float64]
    translation_m: NDArray[np.float64]


@dataclass(frozen=True)
class Samples:
    """The scene's samples, in the order of sample.json."""

    tokens: list[str]
    timestamp_us: NDArray[np.int64]


@dataclass(frozen=True)
class Calibrations:
    """The calibrated sensors that the scene's data name; `intrinsics` are empty for what is no camera."""

    channels: list[str]
    modalities: list[str]
    intrinsics: list[list[list[float]]]
    pose: Poses


@dataclass(frozen=True)
class SensorData:
    """The scene's lidar sweeps and keyframe images in order of time.

    `sample` and `calibration` are row numbers (N,); `ego_pose` has a row for each row here.
    """

    tokens: list[str]
    filenames: list[str]
    sample: Int32
    calibration: Int32
    timestamp_us: NDArray[np.int64]
    is_keyframe: NDArray[np.bool_]
    width_px: Int32
    height_px: Int32
    ego_pose: Poses


@dataclass(frozen=True)
class Boxes:
    """The scene's annotations; `sample`, `instance` are row numbers (N,); size is (N,3) length, width, height."""

    sample: Int32
    instance: Int32
    size_lwh_m: NDArray[np.float64]
    pose: Poses


@dataclass(frozen=True)
class SceneRows:
    """All of a scene, or of a dataset; `categories` are the names of what the instances are."""

    samples: Samples
    calibrations: Calibrations
    data: SensorData
    instances: list[str]
    categories: list[str]
    boxes: Boxes

    @property
    def is_lidar(self) -> NDArray[np.bool_]:
        """Which rows of `data` are a lidar's."""
        c = self.calibrations
        lidars = np.array([is_lidar(*sensor) for sensor in zip(c.channels, c.modalities, strict=True)], dtype=bool)
        return lidars[self.data.calibration]

    @property
    def is_image(self) -> NDArray[np.bool_]:
        """Which rows of `data` are a camera's keyframes."""
        c = self.calibrations
        cameras = np.array([is_camera(*sensor) for sensor in zip(c.modalities, c.intrinsics, strict=True)], dtype=bool)
        return cameras[self.data.calibration] & self.data.is_keyframe

    @property
    def steps(self) -> int:
        """How many sweeps to read and images to write."""
        return int(self.is_lidar.sum() + self.is_image.sum())


Part = TypeVar("Part", Samples, Calibrations, SensorData, Boxes, Poses)


def pick(part: Part, rows: NDArray[np.intp]) -> Part:
    """The same columns with these rows only."""
    return replace(part, **{f.name: _picked(getattr(part, f.name), rows) for f in fields(part)})


def _picked(column: Any, rows: NDArray[np.intp]) -> Any:
    if isinstance(column, Poses):
        return pick(column, rows)
    return column[rows] if isinstance(column, np.ndarray) else pick_list(column, rows)


Item = TypeVar("Item")


def pick_list(column: Sequence[Item], rows: NDArray[np.intp]) -> list[Item]:
    """The same list with these rows only."""
    return [column[row] for row in rows.tolist()]


def encode(rows: SceneRows) -> bytes:
    """To bytes (msgpack), numbers in this machine's order.

    Raises:
        UnicodeEncodeError: a name is no Unicode text.
    """
    return msgspec.msgpack.encode(rows, enc_hook=_encode_array)


def decode(data: bytes | memoryview) -> SceneRows:
    """From bytes; types and lengths are checked.

    Raises:
        ValueError: this is not what `encode` gives.
    """
    rows = _DECODER.decode(data)
    for part in (rows.samples, rows.calibrations, rows.data, rows.boxes):
        _check_lengths(part)
    if len(rows.instances) != len(rows.categories):
        raise ValueError("as many categories as instances")
    return rows


def _check_lengths(part: object) -> None:
    columns = [value for value in vars(part).values() if not isinstance(value, Poses)]
    columns += [column for value in vars(part).values() if isinstance(value, Poses) for column in vars(value).values()]
    if len({len(column) for column in columns}) != 1:
        raise ValueError(f"{type(part).__name__}: columns of unequal length")


def _encode_array(array: Any) -> tuple[tuple[int, ...], bytes]:
    return array.shape, array.tobytes()


def _decode_array(kind: Any, encoded: Any) -> Any:
    """`kind` is NDArray[scalar], which says the scalar's type."""
    _, dtype = get_args(kind)
    (scalar,) = get_args(dtype)
    shape, data = encoded
    return np.frombuffer(data, dtype=scalar).reshape(shape)


_DECODER = msgspec.msgpack.Decoder(SceneRows, dec_hook=_decode_array)
