"""Oriented boxes: a frame T_x_box (x ahead, y left, z up, origin at the middle) and a size (l,w,h)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]


def corners(T_dst_box: Float64, size_lwh_m: Float64) -> Float64:
    """The eight corners (8,3) in dst: the first four ahead (x > 0), then the four behind."""
    signs = np.array(
        [[1, 1, 1], [1, -1, 1], [1, -1, -1], [1, 1, -1], [-1, 1, 1], [-1, -1, 1], [-1, -1, -1], [-1, 1, -1]],
        dtype=np.float64,
    )
    xyz_dst: Float64 = (signs * size_lwh_m / 2) @ T_dst_box[:3, :3].T + T_dst_box[:3, 3]
    return xyz_dst


def contains(xyz_box: Float64, size_lwh_m: Float64) -> NDArray[np.bool_]:
    """Which points (N,3) of the box's own frame lie in it, faces included."""
    inside: NDArray[np.bool_] = (np.abs(xyz_box) <= size_lwh_m / 2).all(axis=1)
    return inside
