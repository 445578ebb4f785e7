"""Decoding of image files: pixels as they are stored, and no more of them than there should be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.image_size import size_of
from densegt.errors import InputError

MAX_PIXELS = 1 << 26


def decode_rgb(path: Path, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
    """Image (H,W,3), RGB, as stored: an orientation that its EXIF data ask for is ignored, as K belongs to the pixels.

    The size in the header is looked at before anything is decoded.

    Args:
        size: (width, height) px that it should have.

    Raises:
        InputError: no JPEG or PNG, damaged, or of another size.
    """
    import cv2

    _check_size(path, size)
    image = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None:
        raise InputError(f"{path}: not a readable image")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def decode_grey(path: Path, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
    """Image (H,W), brightness; see `decode_rgb`."""
    import cv2

    _check_size(path, size)
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None:
        raise InputError(f"{path}: not a readable image")
    return np.asarray(image, dtype=np.uint8)


def decode_steps(path: Path) -> NDArray[np.uint16]:
    """Image (H,W) of one channel of 16 bits.

    Raises:
        InputError: it is something else.
    """
    import cv2

    _check_size(path, None)
    steps = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if steps is None or steps.dtype != np.uint16 or steps.ndim != 2:
        raise InputError(f"{path}: not a PNG of one channel of 16 bits")
    return np.asarray(steps, dtype=np.uint16)


def _check_size(path: Path, wanted: tuple[int, int] | None) -> None:
    size = size_of(path)
    if size is None:
        what = "not a readable image: no JPEG or PNG, or damaged" if path.exists() else "no such image"
        raise InputError(f"{path}: {what}")
    if size[0] * size[1] > MAX_PIXELS:
        raise InputError(f"{path}: {size[0]}x{size[1]} px; no camera takes such an image")
    if wanted is not None and size != wanted:
        raise InputError(f"{path}: {size[0]}x{size[1]} px, but {wanted[0]}x{wanted[1]} px are expected")
