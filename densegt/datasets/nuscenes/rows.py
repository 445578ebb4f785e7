"""The rows of the nuScenes tables that densegt reads, and their decoding with types checked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import IO, Annotated, TypeVar

import msgspec

from densegt.errors import InputError

# Bounded, so that a damaged number is named here and never overflows an array later.
Microseconds = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
Pixels = Annotated[int, msgspec.Meta(ge=0, le=2**20)]
# To a neighbour in a chain, or to a row of a table that densegt does without.
Link = str | None


class SceneRow(msgspec.Struct):
    """scene.json."""

    token: str
    name: str
    first_sample_token: str
    last_sample_token: str


class SampleRow(msgspec.Struct):
    """sample.json: one keyframe."""

    token: str
    timestamp: Microseconds
    scene_token: str
    prev: Link = ""
    next: Link = ""


class SampleDataRow(msgspec.Struct):
    """sample_data.json: one sweep or image."""

    token: str
    sample_token: str
    ego_pose_token: str
    calibrated_sensor_token: str
    timestamp: Microseconds
    is_key_frame: bool
    filename: str
    height: Pixels | None = 0
    width: Pixels | None = 0
    prev: Link = ""
    next: Link = ""


class EgoPoseRow(msgspec.Struct):
    """ego_pose.json: quaternion w,x,y,z and metres."""

    token: str
    rotation: list[float]
    translation: list[float]


class CalibratedSensorRow(msgspec.Struct):
    """calibrated_sensor.json: the sensor in ego."""

    token: str
    sensor_token: str
    rotation: list[float]
    translation: list[float]
    camera_intrinsic: list[list[float]] | None = None
    # Of nuImages, whose images are as their lenses took them; nuScenes has none.
    camera_distortion: list[float] | None = None


class SensorRow(msgspec.Struct):
    """sensor.json."""

    token: str
    channel: str
    modality: str


class AnnotationRow(msgspec.Struct):
    """sample_annotation.json: size is width, length, height."""

    token: str
    sample_token: str
    instance_token: str
    translation: list[float]
    size: list[float]
    rotation: list[float]
    prev: Link = ""
    next: Link = ""


class InstanceRow(msgspec.Struct):
    """instance.json."""

    token: str
    category_token: str


class CategoryRow(msgspec.Struct):
    """category.json."""

    token: str
    name: str


class QuickSampleDataRow(msgspec.Struct, gc=False):
    """What a scene takes of a SampleDataRow. The garbage collector need not look at it: it holds no containers."""

    token: str
    sample_token: str
    ego_pose_token: str
    calibrated_sensor_token: str
    timestamp: Microseconds
    is_key_frame: bool
    filename: str
    height: Pixels | None = 0
    width: Pixels | None = 0


class QuickEgoPoseRow(msgspec.Struct, gc=False):
    """What a scene takes of an EgoPoseRow whose numbers are as many as they should be."""

    token: str
    rotation: tuple[float, float, float, float]
    translation: tuple[float, float, float]


class QuickAnnotationRow(msgspec.Struct, gc=False):
    """What a scene takes of an AnnotationRow whose numbers are as many as they should be."""

    token: str
    sample_token: str
    instance_token: str
    translation: tuple[float, float, float]
    size: tuple[float, float, float]
    rotation: tuple[float, float, float, float]


Row = TypeVar("Row", bound=msgspec.Struct)

# The large tables are read in pieces; the others have some ten megabytes.
MAX_WHOLE_BYTES = 1 << 28
BLANK = b" \t\r\n"
# A table begins within these.
_LOOKED_AT_BYTES = 1 << 12


def open_table(path: Path) -> IO[bytes]:
    """Open a table.

    Raises:
        InputError: it is no file, e.g. a pipe, on which reading would wait for ever.
        OSError: it is missing or cannot be read.
    """
    if path.exists() and not path.is_file():
        raise InputError(f"{path}: not a file")
    return path.open("rb")


def read_rows(path: Path, row: type[Row]) -> list[Row]:
    """Decode one table.

    Raises:
        InputError: the file is missing, cut off, or a field has another type; the message names file and field.
    """
    try:
        with open_table(path) as file:
            data = file.read(_LOOKED_AT_BYTES)
            start = data.decode(json.detect_encoding(data), errors="replace").strip()[:1]
            if start not in ("[", ""):
                raise InputError(f"{path}: not whole JSON: a table begins with [, not with {start!r}")
            data += file.read(MAX_WHOLE_BYTES + 1 - len(data))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    if len(data) > MAX_WHOLE_BYTES:
        raise InputError(f"{path}: more than {MAX_WHOLE_BYTES >> 20} MiB; no such table is as large")
    return decode_rows(path, data, row)


def decode_rows(path: Path, data: bytes, row: type[Row]) -> list[Row]:
    """Rows from a table's bytes, or from a piece that is a JSON array itself.

    Raises:
        InputError: as `read_rows`.
    """
    try:
        return msgspec.json.decode(data, type=list[row])  # type: ignore[valid-type]
    except msgspec.ValidationError as error:
        raise InputError(f"{path}: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return _read_with_nan(path, data, row, str(error))


def _read_with_nan(path: Path, data: bytes, row: type[Row], why: str) -> list[Row]:
    """JSON has no NaN, yet Python writes it; read such a table so that the bad pose can be named later."""
    try:
        decoded = json.loads(data)
        # Python also reads halves of surrogate pairs, which no file name, message or index can hold.
        msgspec.json.encode(decoded)
        return msgspec.convert(decoded, type=list[row])  # type: ignore[valid-type]
    except msgspec.ValidationError as error:
        raise InputError(f"{path}: {error}") from None
    except (ValueError, RecursionError):
        raise InputError(f"{path}: not whole JSON ({why})") from None
