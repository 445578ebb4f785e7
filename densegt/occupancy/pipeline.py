"""From a scene's cloud to the occupancy of its keyframes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.cloud import Cloud
from densegt.datasets.scene import Camera, Scene
from densegt.geometry import se3
from densegt.kernels.carve_beams import ALL_SLABS, Passes
from densegt.occupancy.beams import SceneBeams
from densegt.occupancy.camera_mask import seen_by_cameras
from densegt.occupancy.classes import SceneClasses, classes_at
from densegt.occupancy.confidence import confidence
from densegt.occupancy.config import EvidenceConfig, OccupancyConfig
from densegt.occupancy.grid import VoxelGrid
from densegt.occupancy.hits import Counts, add_movers, standing_hits
from densegt.occupancy.movers import placed_movers
from densegt.occupancy.passes import all_passes
from densegt.occupancy.voxels import GridFrame, Occupancy, State


def grid_frames(cloud: Cloud, scene: Scene, grid: VoxelGrid) -> list[GridFrame]:
    """The keyframes of the lidar that has most, on the ego path of the cloud, in order of time."""
    own = [i for i, token in enumerate(cloud.sample_tokens) if token]
    lidars = np.bincount(cloud.moments.lidar[own], minlength=1)
    frames: list[GridFrame] = []
    for i in own:
        sweep = scene.sweeps[i]
        if cloud.moments.lidar[i] != lidars.argmax() or any(f.sample_token == sweep.sample_token for f in frames):
            continue
        T = np.eye(4)
        T[:3, :3] = cloud.images.R_lidar_global[i].T
        T[:3, 3] = cloud.images.origin[i] + cloud.origin_global_m
        T_global_grid = T if grid.frame == "lidar" else T @ se3.inverse(sweep.T_ego_lidar)
        frames.append(GridFrame(grid, sweep.sample_token, sweep.timestamp_us, i, T_global_grid))
    return frames


def occupancy_of_scene(
    cloud: Cloud,
    scene: Scene,
    grid: VoxelGrid,
    config: OccupancyConfig,
    *,
    classes: SceneClasses | None = None,
    progress: Callable[[], None] = lambda: None,
) -> Iterator[Occupancy]:
    """The voxels of each keyframe, in order of time.

    Args:
        classes: of the scene's things and points; none are told if not given.
        progress: called after each keyframe.
    """
    beams = SceneBeams.of(cloud)
    for frame in grid_frames(cloud, scene, grid):
        voxels = occupancy_at(cloud, beams, frame, config)
        yield voxels if classes is None else replace(voxels, semantics=classes_at(voxels, classes))
        progress()


def occupancy_at(cloud: Cloud, beams: SceneBeams, frame: GridFrame, config: OccupancyConfig) -> Occupancy:
    """The voxels of one keyframe, movers where they are at its time.

    Args:
        beams: the cloud's.
    """
    allowed = sweeps_within(cloud, frame, config.window_s)
    movers = list(placed_movers(cloud, frame, allowed, config))
    hits = standing_hits(cloud, frame, allowed, config.voxels)
    mover, flow_mps = add_movers(hits, movers, frame, config.voxels)
    passes = all_passes(cloud, beams, frame, allowed, movers, config.voxels)
    state = states(hits, passes, mover >= 0, config.voxels)
    mover[state != State.OCCUPIED] = -1
    flow_mps[mover < 0] = 0
    return Occupancy(
        frame=frame,
        state=state,
        semantics=np.zeros(state.shape, np.uint8),
        hits=hits,
        passes=passes.beams,
        mover=mover,
        mask_camera=seen_by_cameras(cameras_of(cloud, frame), frame.T_voxel_global, state == State.OCCUPIED),
        confidence=confidence(state, hits, passes.beams),
        flow_mps=flow_mps,
    )


def cameras_of(cloud: Cloud, frame: GridFrame) -> list[Camera]:
    """The exposures of a keyframe, on the cloud's ego path."""
    return [camera for camera in cloud.cameras if camera.sample_token == frame.sample_token]


def states(hits: Counts, passes: Passes, moves: NDArray[np.bool_], config: EvidenceConfig) -> NDArray[np.uint8]:
    """Codes of `State` (X,Y,Z) from evidence for and against.

    Args:
        moves: (X,Y,Z), most of the hits are a mover's.
    """
    hit = (hits >= config.min_hits) & (hits >= config.hit_share * passes.beams)
    free = ~hit & (passes.beams >= config.min_passes) & (passes.slabs == ALL_SLABS)
    # Of a thin shell that was put together at several poses more is passed by chance.
    passed = np.where(moves, 2 * passes.beams.astype(np.int64) >= hits, passes.beams > 0)
    share = np.where(
        passed, np.where(moves, config.mover_beside_share, config.passed_beside_share), config.beside_share
    )
    occupied = hit & (hits >= share * most_beside(hits))
    return np.where(occupied, State.OCCUPIED, np.where(free, State.FREE, State.UNOBSERVED)).astype(np.uint8)


def most_beside(hits: Counts) -> Counts:
    """The most hits (X,Y,Z) among the six neighbours of each voxel."""
    out = np.zeros_like(hits)
    for axis in range(hits.ndim):
        ahead, behind = ((slice(None),) * axis + (part,) for part in (slice(1, None), slice(None, -1)))
        np.maximum(out[ahead], hits[behind], out=out[ahead])
        np.maximum(out[behind], hits[ahead], out=out[behind])
    return out


def sweeps_within(cloud: Cloud, frame: GridFrame, window_s: float | None) -> NDArray[np.bool_]:
    """Which sweeps (S,) may be used: those at most so far from the keyframe, all for None."""
    if window_s is None:
        return np.ones(len(cloud.sweep_times_s), dtype=np.bool_)
    within: NDArray[np.bool_] = np.abs(cloud.sweep_times_s - cloud.sweep_times_s[frame.sweep]) <= window_s + 1e-3
    within[cloud.moments.with_other_lidars(np.array([frame.sweep]))] = True
    return within
