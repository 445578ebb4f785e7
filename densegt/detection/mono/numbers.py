"""What a network is told of a 2D box besides what it sees: the same whatever the camera."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from densegt.detection.mono.view import View

# A common vehicle is as high. Ground seen nearer to the horizon than this tangent is no measure, nor is it to a camera
# that is lower than this over what the ego frame takes for the ground.
VEHICLE_M, HORIZON, LOWEST_M = 1.7, -0.01, 0.3
# Which number tells whether the mask is known.
MASKED = 7


def numbers_of(view: View, cut: NDArray[np.bool_], *, masked: bool) -> NDArray[np.float32]:
    """(10,) see `MonoBatch`; cut: (4,)."""
    right, left, bottom, top = view.box_ab
    height = top - bottom
    shape = [np.log(height) + 2.5, np.log((left - right) / height), 4 * (top + bottom) / 2]
    camera_m = view.T_ref_view[2, 3]
    told = bool(bottom < HORIZON and camera_m > LOWEST_M and not cut[2])
    # Both are the same where a vehicle as high as that stands on the ground as the reference frame has it.
    farther = np.log(camera_m / -bottom) - np.log(VEHICLE_M / height) if told else 0.0
    return np.array([*shape, *cut, masked, np.clip(farther, -1, 1), told], np.float32)


def cut_of(box_px: NDArray[np.float64], seen_px: NDArray[np.float64], within_px: float = 0.5) -> NDArray[np.bool_]:
    """(4,) whether a box ends at the right, left, bottom and top edge of what is seen.

    Args:
        box_px, seen_px: (4,) left, top, right, bottom.
        within_px: of an edge, is at it.
    """
    left, top, right, bottom = box_px - seen_px
    return np.array([right >= -within_px, left <= within_px, bottom >= -within_px, top <= within_px])


def whole_px(height_px: int, width_px: int) -> NDArray[np.float64]:
    """(4,) outer edges of an image: left, top, right, bottom; pixel centres are integers."""
    return np.array([-0.5, -0.5, width_px - 0.5, height_px - 0.5])
