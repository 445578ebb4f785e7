"""The box of a detected object: along its path, as large as its points, on the ground."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.motion.discovery.ground_height import Ground
from densegt.accumulation.motion.discovery.planar_motion import PlanarMotion
from densegt.accumulation.motion.tracks import ContinuousTrack

Float64 = NDArray[np.float64]

STEP_S = 0.1
CELL_M = 0.25
PAD_M = 0.05


class BoxExtent(NamedTuple):
    """A box in the frame of an object's motion: lowest and highest corner (3,) m in axes rotated by `yaw_rad`."""

    low: Float64
    high: Float64
    yaw_rad: float


def extent(q: Float64, sweep: NDArray[np.int32], yaw_rad: float) -> BoxExtent:
    """The box of points (N,3) that several sweeps (N,) agree on, in axes rotated by `yaw_rad`."""
    c, s = np.cos(yaw_rad), np.sin(yaw_rad)
    p = np.column_stack([c * q[:, 0] + s * q[:, 1], -s * q[:, 0] + c * q[:, 1], q[:, 2]])
    sweeps = len(np.unique(sweep))
    cell = np.floor(p[:, :2] / CELL_M).astype(np.int64)
    key = (cell[:, 0] * 100_003 + cell[:, 1]) * 10_007 + sweep
    _, once = np.unique(key, return_index=True)
    place, which = np.unique(cell[once, 0] * 100_003 + cell[once, 1], return_inverse=True)
    seen = np.bincount(which.ravel(), minlength=len(place))
    agreed = np.isin(cell[:, 0] * 100_003 + cell[:, 1], place[seen >= min(3, max(2, sweeps // 5))])
    p = p[agreed] if agreed.sum() >= 3 else p
    low, high = np.quantile(p, [0.002, 0.998], axis=0)
    low[2] = 0.0
    return BoxExtent(low - [PAD_M, PAD_M, 0.0], high + PAD_M, yaw_rad)


def make_track(
    token: str,
    motion: PlanarMotion,
    box: BoxExtent,
    ground: Ground,
    origin_global_m: Float64,
    start_us: int,
    max_extrapolation_s: float,
) -> ContinuousTrack:
    """The continuous track of a box that moves so, standing on the ground.

    Args:
        origin_global_m: (3,) of the motion's frame; start_us: the time that the motion counts from.
    """
    t = np.linspace(motion.start_s, motion.end_s, max(2, int(np.ceil((motion.end_s - motion.start_s) / STEP_S)) + 1))
    pose = motion.at(t)
    yaw = pose[:, 2] + box.yaw_rad
    middle, size = (box.low + box.high) / 2, box.high - box.low
    c, s = np.cos(yaw), np.sin(yaw)
    xy = pose[:, :2] + np.column_stack([c * middle[0] - s * middle[1], s * middle[0] + c * middle[1]])
    under = ground.under(xy)[:, None]
    z = PlanarMotion.through(t, under, knot_s=0.5, sigma=np.array([0.05]), acceleration=np.array([0.5])).at(t)[:, 0]
    T = np.tile(np.eye(4), (len(t), 1, 1))
    T[:, 0, 0], T[:, 0, 1], T[:, 1, 0], T[:, 1, 1] = c, -s, s, c
    T[:, :2, 3], T[:, 2, 3] = xy, z + middle[2]
    T[:, :3, 3] += origin_global_m
    category = category_of_size(size)
    return ContinuousTrack(
        token=token,
        category=category,
        size_lwh_m=size,
        deforming=category.startswith(("human", "vehicle.bicycle")),
        knots_us=(start_us + np.rint(t * 1e6)).astype(np.int64),
        T_global_box=T,
        max_extrapolation_s=max_extrapolation_s,
        max_gap_s=1e3,
    )


def category_of_size(size_lwh_m: Float64) -> str:
    """The category that a size suggests."""
    length, width, height = size_lwh_m
    if max(length, width) < 1.3:
        return "human.pedestrian.adult"
    if max(length, width) < 2.4 and min(length, width) < 1.1 and height < 2.1:
        return "vehicle.bicycle"
    if length > 7.0 or height > 2.6:
        return "vehicle.truck"
    return "vehicle.car"
