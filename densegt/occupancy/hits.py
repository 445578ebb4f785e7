"""Evidence for voxels: surfels that lie in them, of what stands and of movers where they are at the keyframe's time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.cloud import Cloud
from densegt.accumulation.surfels import Surfels
from densegt.geometry import se3
from densegt.kernels.frustum import BLOCK_ROWS
from densegt.kernels.splat_voxels import Patches, splat_voxels
from densegt.occupancy.config import EvidenceConfig
from densegt.occupancy.movers import PlacedMover
from densegt.occupancy.nearby import blocks_nearby, rows_of_blocks
from densegt.occupancy.voxels import GridFrame

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Counts = NDArray[np.uint16]
# No surfel reaches farther, m.
REACH_M = 1.0
MOST = np.uint16(np.iinfo(np.uint16).max)


def standing_hits(cloud: Cloud, frame: GridFrame, allowed: NDArray[np.bool_], config: EvidenceConfig) -> Counts:
    """Hits (X,Y,Z) by what stands still, and by transient surfels of the keyframe's time.

    Args:
        allowed: (S,) sweeps.
    """
    hits, T_voxel_origin = np.zeros(frame.grid.shape, np.uint16), frame.T_voxel_local(cloud.origin_global_m)
    now_s = (frame.timestamp_us - cloud.start_us) * 1e-6
    now = np.flatnonzero(np.abs(cloud.transient.time_s - now_s) <= cloud.period_s / 2)
    _splat(cloud.transient, now, T_voxel_origin, config, hits)
    near = blocks_nearby(cloud.static_bounds, T_voxel_origin, hits.shape, margin_m=REACH_M)
    rows = rows_of_blocks(near, BLOCK_ROWS, len(cloud.static))
    if not allowed.all():
        rows = rows[allowed[cloud.static.sweep[rows]]]
    _splat(cloud.static, rows, T_voxel_origin, config, hits)
    return hits


def add_movers(
    hits: Counts, movers: Sequence[PlacedMover], frame: GridFrame, config: EvidenceConfig
) -> tuple[NDArray[np.int16], Float32]:
    """Add movers' surfels to the hits (X,Y,Z); which mover leads in each voxel, -1 = none, and its flow (X,Y,Z,3).

    A mover leads where there is as much of it as of anything else.
    """
    mover, flow_mps = np.full(hits.shape, -1, np.int16), np.zeros((*hits.shape, 3), np.float32)
    most = hits.copy()
    for placed in movers:
        T_voxel_box = frame.T_voxel_global @ placed.T_global_box
        part = part_of_grid(placed.surfels, T_voxel_box, hits.shape)
        own = np.zeros(hits[part].shape, np.uint16)
        if not own.size:
            continue
        low = np.array([axis.start for axis in part])
        T_voxel_box[:3, 3] -= low
        _splat(placed.surfels, np.arange(len(placed.surfels)), T_voxel_box, config, own)
        led = (own > 0) & (own >= most[part])
        most[part][led], mover[part][led] = own[led], placed.index
        flow_mps[part][led] = flow(placed, frame, np.argwhere(led) + low)
        hits[part] += np.minimum(own, MOST - hits[part])
    return mover, flow_mps


def part_of_grid(surfels: Surfels, T_voxel_src: Float64, shape: tuple[int, ...]) -> tuple[slice, ...]:
    """Where in a grid surfels lie, some voxels more included; empty where none do."""
    if not len(surfels):
        return (slice(0, 0),) * len(shape)
    at = se3.apply(T_voxel_src, surfels.xyz)
    reach = REACH_M * np.linalg.norm(T_voxel_src[:3, 0]) + 1
    low, high = np.floor(at.min(axis=0) - reach).astype(int), np.ceil(at.max(axis=0) + reach).astype(int)
    return tuple(
        slice(max(a, 0), max(min(b, n), max(a, 0))) for a, b, n in zip(low.tolist(), high.tolist(), shape, strict=True)
    )


def flow(placed: PlacedMover, frame: GridFrame, voxels: NDArray[np.intp]) -> Float32:
    """Velocity (N,3) m/s over the ground, along the grid's axes, of a mover's parts in voxels (N,3)."""
    centres = (voxels + 0.5) * frame.grid.voxel_m + np.array(frame.grid.low_m)
    xyz_box = se3.apply(se3.inverse(placed.T_global_box) @ frame.T_global_grid, centres)
    velocity = xyz_box @ placed.dT_global_box[:3, :3].T + placed.dT_global_box[:3, 3]
    along: Float64 = velocity @ frame.T_global_grid[:3, :3]
    return along.astype(np.float32)


def _splat(
    surfels: Surfels, rows: NDArray[np.int64], T_voxel_src: Float64, config: EvidenceConfig, hits: Counts
) -> None:
    splat_voxels(Patches(surfels.xyz, surfels.tangents, surfels.half_m), rows, T_voxel_src, config.surfel_step, hits)
