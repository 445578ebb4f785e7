"""Attributes of a store's file, checked before use: the file may have been written by other software.

All raise ValueError, TypeError or KeyError, which the store turns into a line that names the file.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.file_names import is_outside
from densegt.datasets.scene import Camera
from densegt.geometry.distortion import Distortion

Attributes = Mapping[str, Any]


def text_crc(attributes: Attributes) -> np.uint32:
    """CRC-32 of "name NUL value NUL" of all that are texts, in order of name."""
    texts = (f"{name}\0{value}\0" for name, value in sorted(attributes.items()) if isinstance(value, str))
    return np.uint32(zlib.crc32("".join(texts).encode()))


def text(attributes: Attributes, name: str) -> str:
    """A line of text."""
    value = attributes[name]
    return value if isinstance(value, str) and value.isprintable() else refuse(f"{name} is {value!r}")


def integer(attributes: Attributes, name: str) -> int:
    """A whole number."""
    value = attributes[name]
    return int(value) if isinstance(value, (int, np.integer)) else refuse(f"{name} is {value!r}")


def matrix(attributes: Attributes, name: str, size: int) -> NDArray[np.float64]:
    """Finite numbers, (size,size)."""
    numbers = np.asarray(attributes[name], dtype=np.float64)
    if numbers.shape != (size, size) or not np.isfinite(numbers).all():
        refuse(f"{name} is not {size}x{size} finite numbers")
    return numbers


def distortion(attributes: Attributes) -> Distortion | None:
    """Of a lens; None where the image has none."""
    if "distortion" not in attributes:
        return None
    values = json.loads(text(attributes, "distortion"))
    return Distortion.about(matrix(attributes, "K", 3), str(values["model"]), tuple(map(float, values["coefficients"])))


def inside(filename: str) -> str:
    """A name of which a path in a folder can be made."""
    return refuse(f"{filename!r} leads out of the dataset") if is_outside(filename) else filename


def refuse(why: str) -> NoReturn:
    """Say what it is instead."""
    raise ValueError(why)


def camera_attributes(camera: Camera) -> Attributes:
    """What a store keeps of an image beside its layers."""
    return {
        "sample_data_token": camera.token,
        "filename": camera.filename,
        "timestamp_us": camera.timestamp_us,
        "K": camera.K,
        "T_global_cam": camera.T_global_cam,
        **({} if camera.distortion is None else {"distortion": camera.distortion.as_json()}),
    }
