"""From a scene's cloud to the occupancy of its keyframes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.cloud import Cloud
from densegt.accumulation.surfels import Surfels
from densegt.datasets.scene import Camera, Scene
from densegt.geometry import se3
from densegt.kernels.carve_beams import ALL_SLABS, CarveRule, Passes, carve_beams
from densegt.kernels.splat_voxels import Patches, splat_voxels
from densegt.occupancy.beams import beams_of
from densegt.occupancy.boxes import in_box
from densegt.occupancy.camera_mask import seen_by_cameras
from densegt.occupancy.classes import SceneClasses, classes_at
from densegt.occupancy.confidence import confidence
from densegt.occupancy.config import EvidenceConfig, OccupancyConfig
from densegt.occupancy.grid import VoxelGrid
from densegt.occupancy.movers import PlacedMover, placed_movers
from densegt.occupancy.voxels import GridFrame, Occupancy, State

Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]
Counts = NDArray[np.uint16]
MOST = np.uint16(np.iinfo(np.uint16).max)


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
        frames.append(GridFrame(sweep.sample_token, sweep.timestamp_us, i, T_global_grid))
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
    for frame in grid_frames(cloud, scene, grid):
        voxels = occupancy_at(cloud, frame, grid, config)
        yield voxels if classes is None else replace(voxels, semantics=classes_at(voxels, classes))
        progress()


def occupancy_at(cloud: Cloud, frame: GridFrame, grid: VoxelGrid, config: OccupancyConfig) -> Occupancy:
    """The voxels of one keyframe, movers where they are at its time."""
    T_voxel_global = grid.T_voxel_grid @ se3.inverse(frame.T_global_grid)
    T_voxel_origin = T_voxel_global.copy()
    T_voxel_origin[:3, 3] += T_voxel_global[:3, :3] @ cloud.origin_global_m
    allowed = sweeps_within(cloud, frame, config.window_s)
    movers = list(placed_movers(cloud, frame.timestamp_us, allowed, config))
    hits = standing_hits(cloud, frame, allowed, T_voxel_origin, grid, config.voxels)
    mover, flow_mps = np.full(grid.shape, -1, np.int16), np.zeros((*grid.shape, 3), np.float32)
    most = hits.copy()
    for placed in movers:
        own = hits_of(placed.surfels, T_voxel_global @ placed.T_global_box, grid, config.voxels)
        # Where there is as much of a mover as of anything else.
        led = (own > 0) & (own >= most)
        most[led], mover[led] = own[led], placed.index
        flow_mps[led] = flow(placed, frame, grid, np.argwhere(led))
        add_counts(hits, own)
    boxes = [where_it_is(placed, frame, grid) for placed in movers]
    passes = all_passes(cloud, frame, allowed, boxes, T_voxel_origin, grid, config.voxels)
    state = states(hits, passes, config.voxels)
    mover[state != State.OCCUPIED] = -1
    flow_mps[mover < 0] = 0
    return Occupancy(
        grid=grid,
        frame=frame,
        state=state,
        semantics=np.zeros(grid.shape, np.uint8),
        hits=hits,
        passes=passes.beams,
        mover=mover,
        mask_camera=seen_by_cameras(cameras_of(cloud, frame), T_voxel_global, state == State.OCCUPIED),
        confidence=confidence(state, hits, passes.beams),
        flow_mps=flow_mps,
    )


def cameras_of(cloud: Cloud, frame: GridFrame) -> list[Camera]:
    """The exposures of a keyframe, on the cloud's ego path."""
    return [camera for camera in cloud.cameras if camera.sample_token == frame.sample_token]


def states(hits: Counts, passes: Passes, config: EvidenceConfig) -> NDArray[np.uint8]:
    """Codes of `State` (X,Y,Z) from evidence for and against."""
    occupied = (hits >= config.min_hits) & (hits >= config.hit_share * passes.beams)
    free = ~occupied & (passes.beams >= config.min_passes) & (passes.slabs == ALL_SLABS)
    return np.where(occupied, State.OCCUPIED, np.where(free, State.FREE, State.UNOBSERVED)).astype(np.uint8)


def sweeps_within(cloud: Cloud, frame: GridFrame, window_s: float | None) -> Bool:
    """Which sweeps (S,) may be used: those at most so far from the keyframe, all for None."""
    if window_s is None:
        return np.ones(len(cloud.sweep_times_s), dtype=np.bool_)
    within: Bool = np.abs(cloud.sweep_times_s - cloud.sweep_times_s[frame.sweep]) <= window_s + 1e-3
    within[cloud.moments.with_other_lidars(np.array([frame.sweep]))] = True
    return within


def standing_hits(
    cloud: Cloud,
    frame: GridFrame,
    allowed: Bool,
    T_voxel_origin: Float64,
    grid: VoxelGrid,
    config: EvidenceConfig,
) -> Counts:
    """Hits (X,Y,Z) by what stands still, and by transient surfels of the keyframe's time."""
    now_s = (frame.timestamp_us - cloud.start_us) * 1e-6
    transient = cloud.transient.take(np.abs(cloud.transient.time_s - now_s) <= cloud.period_s / 2)
    hits = hits_of(transient, T_voxel_origin, grid, config)
    rows = np.flatnonzero(allowed[cloud.static.sweep]).astype(np.int32)
    _splat(cloud.static, rows, T_voxel_origin, config, hits)
    return hits


def hits_of(surfels: Surfels, T_voxel_src: Float64, grid: VoxelGrid, config: EvidenceConfig) -> Counts:
    """Surfels that lie in each voxel (X,Y,Z)."""
    hits = np.zeros(grid.shape, dtype=np.uint16)
    _splat(surfels, np.arange(len(surfels), dtype=np.int32), T_voxel_src, config, hits)
    return hits


def _splat(
    surfels: Surfels, rows: NDArray[np.int32], T_voxel_src: Float64, config: EvidenceConfig, hits: Counts
) -> None:
    splat_voxels(Patches(surfels.xyz, surfels.tangents, surfels.half_m), rows, T_voxel_src, config.surfel_step, hits)


def add_counts(counts: Counts, more: Counts) -> None:
    """Add in place, up to the most that they hold."""
    np.add(counts, np.minimum(more, MOST - counts), out=counts)


def all_passes(
    cloud: Cloud,
    frame: GridFrame,
    allowed: Bool,
    movers: Sequence[Bool],
    T_voxel_origin: Float64,
    grid: VoxelGrid,
    config: EvidenceConfig,
) -> Passes:
    """What beams say of each voxel (X,Y,Z); where a mover is at the keyframe's time, only those of about then.

    Args:
        movers: (X,Y,Z) of each, where it is.
    """
    now = np.abs(cloud.sweep_times_s - cloud.sweep_times_s[frame.sweep]) <= config.now_s
    others = apart(cloud, config.beams_every_m) & ~now
    passes, later = (carved(cloud, sweeps & allowed, T_voxel_origin, grid, config) for sweeps in (now, others))
    for inside in movers:
        later.beams[inside], later.slabs[inside] = 0, 0
    add_counts(passes.beams, later.beams)
    passes.slabs[:] |= later.slabs
    return passes


def carved(cloud: Cloud, sweeps: Bool, T_voxel_origin: Float64, grid: VoxelGrid, config: EvidenceConfig) -> Passes:
    """What the beams of some sweeps (S,) say of each voxel (X,Y,Z)."""
    rule = CarveRule(config.least_path, config.reach, config.margin, config.spread)
    passes = Passes(*(np.zeros(grid.shape, np.uint16) for _ in Passes._fields))
    for beams in beams_of(cloud, np.flatnonzero(sweeps), T_voxel_origin):
        carve_beams(beams, rule, passes)
    return passes


def apart(cloud: Cloud, every_m: float) -> Bool:
    """Sweeps (S,) of which each is so far from the one before it; what lies between sees nothing new."""
    out = np.zeros(len(cloud.sweep_times_s), dtype=np.bool_)
    for lidar in np.unique(cloud.moments.lidar):
        sweeps = np.flatnonzero(cloud.moments.lidar == lidar)
        way_m = np.linalg.norm(np.diff(cloud.images.origin[sweeps], axis=0), axis=1)
        passed = np.floor(np.concatenate([[0.0], np.cumsum(way_m)]) / every_m)
        out[sweeps[np.unique(passed, return_index=True)[1]]] = True
    return out


def where_it_is(placed: PlacedMover, frame: GridFrame, grid: VoxelGrid) -> Bool:
    """Voxels (X,Y,Z) that a mover's box touches."""
    inside = np.zeros(grid.shape, dtype=np.bool_)
    T_grid_box = se3.inverse(frame.T_global_grid) @ placed.T_global_box
    voxels, _ = in_box(T_grid_box, placed.track.size_lwh_m, grid, margin_m=grid.voxel_m / 2)
    inside[voxels] = True
    return inside


def flow(placed: PlacedMover, frame: GridFrame, grid: VoxelGrid, voxels: NDArray[np.intp]) -> NDArray[np.float32]:
    """Velocity (N,3) m/s over the ground, along the grid's axes, of a mover's parts in voxels (N,3)."""
    centres = (voxels + 0.5) * grid.voxel_m + np.array(grid.low_m)
    xyz_box = se3.apply(se3.inverse(placed.T_global_box) @ frame.T_global_grid, centres)
    velocity = xyz_box @ placed.dT_global_box[:3, :3].T + placed.dT_global_box[:3, 3]
    along: Float64 = velocity @ frame.T_global_grid[:3, :3]
    return along.astype(np.float32)
