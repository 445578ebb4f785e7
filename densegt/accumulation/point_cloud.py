"""A cloud from plain points: nothing is known of sweeps, times or movers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from densegt.accumulation.cloud import Cloud
from densegt.accumulation.config import AccumulateConfig, ConfidenceConfig
from densegt.accumulation.moments import Moments
from densegt.accumulation.surfels import Surfels
from densegt.kernels.range_images import RangeImages

# Confidence was fitted on sweeps; of points alone everything visible is shown.
POINTS_ALONE = AccumulateConfig(motion="none", confidence=ConfidenceConfig(least=0.0, least_measured=0.0))
NEIGHBOURS = 9


def cloud_of_points(xyz_global: NDArray[np.float64], *, max_half_m: float = 0.4) -> Cloud:
    """Points (N,3) as surfels in the plane of their neighbours, reaching half way to the next ones.

    Args:
        max_half_m: reach of a surfel at most.

    Raises:
        ValueError: points are not (N,3), or there are fewer than three.
    """
    if xyz_global.ndim != 2 or xyz_global.shape[1] != 3 or len(xyz_global) < 3:
        raise ValueError(f"points should be (N,3) with N >= 3, not {xyz_global.shape}")
    xyz_global = xyz_global[np.isfinite(xyz_global).all(axis=1)]
    origin = np.median(xyz_global, axis=0)
    xyz = (xyz_global - origin).astype(np.float32)
    tangents, half_m = _planes(xyz, max_half_m)
    n = len(xyz)
    static = Surfels(xyz, tangents, half_m, np.zeros(n, np.float32), np.zeros(n, np.int32))
    return Cloud(
        origin_global_m=origin,
        start_us=0,
        static=static,
        transient=static.take(np.zeros(0, np.intp)),
        movers=(),
        detected_tracks=(),
        images=_no_images(),
        moments=Moments(np.zeros(1, np.int64), np.zeros(1, np.int64)),
        sweep_times_s=np.zeros(1),
        period_s=0.1,
        cameras=(),
        sample_tokens=("",),
    )


def _planes(xyz: NDArray[np.float32], max_half_m: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Tangents (N,2,3) of the plane through each point's neighbours, and reaches (N,4) m."""
    count = min(NEIGHBOURS, len(xyz))
    distance, near = cKDTree(xyz).query(xyz, count)
    around = xyz[near] - xyz[near].mean(axis=1, keepdims=True)
    _, axes = np.linalg.eigh(np.einsum("nki,nkj->nij", around, around).astype(np.float64))
    tangents = np.ascontiguousarray(axes[:, :, [2, 1]].transpose(0, 2, 1)).astype(np.float32)
    # Of a grid's eight neighbours the fourth is as far as the next along either axis.
    half = np.minimum(0.75 * distance[:, min(4, count - 1)], max_half_m)
    return tangents, np.repeat(half[:, None], 4, axis=1).astype(np.float32)


def _no_images() -> RangeImages:
    zeros = np.zeros((1, 3), np.float32)
    return RangeImages(
        ranges_m=np.zeros((1, 1, 1), np.float32),
        ring_elevation=np.zeros((1, 1), np.float32),
        clock=np.zeros((1, 4), np.float32),
        lidar=np.zeros(1, np.int64),
        origin=zeros,
        velocity=zeros,
        R_lidar_global=np.eye(3, dtype=np.float32)[None],
        read=np.zeros(1, np.bool_),
    )
