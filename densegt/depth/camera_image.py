"""A camera's image from its file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.decode_image import decode_rgb
from densegt.errors import InputError
from densegt.geometry.distortion import Distortion, undistort


def read_image(
    path: Path, distortion: Distortion | None = None, *, size: tuple[int, int] | None = None
) -> NDArray[np.uint8]:
    """Image (H,W,3), RGB, pixels as stored, freed of its lens's distortion.

    Args:
        size: (width, height) px that it should have.

    Raises:
        InputError: there is no such file, it is no image, or of another size.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such image; --dataroot is the folder that the depth was made from")
    rgb = decode_rgb(path, size)
    return rgb if distortion is None else undistort(rgb, distortion)
