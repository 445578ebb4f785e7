"""A camera's image from its file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densegt.errors import InputError
from densegt.geometry.distortion import Distortion, undistort


def read_image(path: Path, distortion: Distortion | None = None) -> NDArray[np.uint8]:
    """Image (H,W,3), RGB, freed of its lens's distortion.

    Raises:
        InputError: there is no such file, or it is no image.
    """
    import cv2

    if not path.is_file():
        raise InputError(f"{path}: no such image; --dataroot is the folder that the depth was made from")
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise InputError(f"{path}: not a readable image")
    rgb = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), dtype=np.uint8)
    return rgb if distortion is None else undistort(rgb, distortion)
