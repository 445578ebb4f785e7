"""An occupancy store of a simulated city against its exact voxels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.depth.store import ImageRecord, SceneReader
from densegt.geometry import se3
from densegt.kernels.march_rays import march_rays
from densegt.occupancy.camera_mask import pixel_rays, seen_by_rays, unit_rays
from densegt.occupancy.exact import ExactScene, ExactVoxels
from densegt.occupancy.figures import CLIPPED, OccupancyScores
from densegt.occupancy.grid import VoxelGrid
from densegt.occupancy.store import OccupancyReader, OccupancyRecord, occupancy_files
from densegt.occupancy.voxels import State

Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

# A mover's wake is where it is at these times, s from the keyframe.
WAKE_S = np.arange(-1.0, 1.01, 0.1)
# Pixels between rays that depth is compared along.
RAY_STEP_PX = 8


@dataclass(frozen=True)
class Said:
    """What is said of a keyframe's voxels (X,Y,Z).

    Attributes:
        state: uint8 codes of `State`; moves: bool, occupied by what moves.
        among: bool, the voxels that are scored.
        seen: bool, by cameras; code: uint8 codes of classes; flow_mps: (X,Y,Z,3); None where nothing is said of it.
    """

    state: NDArray[np.uint8]
    moves: Bool
    among: Bool
    seen: Bool | None = None
    code: NDArray[np.uint8] | None = None
    flow_mps: NDArray[np.floating[Any]] | None = None


@dataclass(frozen=True)
class ExactKeyframe:
    """The truth about a keyframe.

    Attributes:
        wake: (X,Y,Z) bool, where a mover is within a second of it, and nothing at it.
        seen: (X,Y,Z) bool, before or at the exact depth of some camera's pixel.
        seen_by_voxels: (X,Y,Z) bool, before or in the first exactly occupied voxel of some camera's pixel.
    """

    grid: VoxelGrid
    voxels: ExactVoxels
    wake: Bool
    seen: Bool
    seen_by_voxels: Bool
    images: tuple[ImageRecord, ...]
    T_voxel_global: Float64


def exact_keyframe(
    exact: ExactScene, grid: VoxelGrid, timestamp_us: int, images: Sequence[ImageRecord]
) -> ExactKeyframe:
    """The truth about a keyframe.

    Args:
        images: of the exact store, those of the keyframe.
    """
    voxels = exact.voxels(grid, timestamp_us)
    T_voxel_global = grid.T_voxel_grid @ se3.inverse(exact.T_global_grid(grid, timestamp_us))
    seen, by_voxels = (np.zeros(grid.shape, np.uint8) for _ in range(2))
    for image in images:
        see_exactly(image, T_voxel_global, seen)
        first_met(image, T_voxel_global, voxels.area >= CLIPPED, by_voxels, step_px=1)
    passed = wake(exact, grid, timestamp_us, voxels)
    return ExactKeyframe(grid, voxels, passed, seen > 0, by_voxels > 0, tuple(images), T_voxel_global)


def evaluate_occupancy(pred: Path, dataroot: Path) -> OccupancyScores:
    """Scores of a store over all its scenes, of what it says is observed.

    Args:
        dataroot: of the simulated city that it was made from.

    Raises:
        InputError: the store cannot be read, or the recording is no simulated city.
    """
    scores = OccupancyScores()
    for path in occupancy_files(pred):
        reader = OccupancyReader(path)
        exact = ExactScene(dataroot, reader.scene)
        images = list(SceneReader(dataroot / "exact" / f"{reader.scene}.h5"))
        for record in reader:
            mine = [image for image in images if image.sample_token == record.sample_token]
            truth = exact_keyframe(exact, record.grid, record.timestamp_us, mine)
            score_keyframe(scores, said_by(record), truth)
    return scores


def said_by(record: OccupancyRecord) -> Said:
    """What a store says of a keyframe, to be scored on what it calls observed."""
    layers, observed = record.layers, record.state != State.UNOBSERVED
    seen = layers.get("mask_camera")
    return Said(
        state=record.state,
        moves=layers["mover"] >= 0,
        among=observed,
        seen=None if seen is None else seen > 0,
        code=layers.get("semantics"),
        flow_mps=layers.get("flow"),
    )


def score_keyframe(scores: OccupancyScores, said: Said, truth: ExactKeyframe) -> None:
    """Add one keyframe and its cameras' rays."""
    scores.update(said.state, said.moves, truth.voxels, truth.wake, said.among)
    scores.update_ranges(said.state, truth.voxels, said.among, truth.grid)
    for image in truth.images:
        met, wanted = (
            first_met(image, truth.T_voxel_global, blocked, np.zeros(blocked.shape, np.uint8), step_px=RAY_STEP_PX)
            * truth.grid.voxel_m
            for blocked in (said.state == State.OCCUPIED, truth.voxels.area >= CLIPPED)
        )
        scores.update_rays(met, wanted)
    if said.seen is not None and truth.images:
        scores.update_mask("mask", said.seen, truth.seen_by_voxels)
        scores.update_mask("mask_by_depth", said.seen, truth.seen)
    if said.code is not None:
        scores.update_classes(said.code, truth.voxels, said.among)
    if said.flow_mps is not None:
        scores.update_flow(said.flow_mps, said.state == State.OCCUPIED, truth.voxels, said.among)


def wake(exact: ExactScene, grid: VoxelGrid, timestamp_us: int, truth: ExactVoxels) -> Bool:
    """Voxels (X,Y,Z) where a mover is within a second of a keyframe, and nothing at the keyframe."""
    last_us = exact.recorder.start_us + round(exact.recorder.config.seconds * 1e6)
    times_us = [timestamp_us + round(t * 1e6) for t in WAKE_S.tolist()]
    passed = np.zeros(grid.shape, np.bool_)
    for at_us in times_us:
        if exact.recorder.start_us <= at_us <= last_us:
            passed |= exact.mover_area(grid, timestamp_us, at_us=at_us) >= CLIPPED
    left: Bool = passed & (truth.area == 0)
    return left


def first_met(
    image: ImageRecord, T_voxel_global: Float64, blocked: Bool, seen: NDArray[np.uint8], *, step_px: int
) -> Float64:
    """Voxels (N,) from a camera to where each of some pixels' rays meets a blocked voxel, inf = none.

    Args:
        seen: (X,Y,Z), 1 is written where a ray comes.
    """
    T_voxel_cam = T_voxel_global @ image.T_global_cam
    height_px, width_px = image.depth_m.shape
    directions = unit_rays(pixel_rays(image.K, width_px, height_px, step_px) @ T_voxel_cam[:3, :3].T)
    met = np.empty(len(directions))
    start = np.ascontiguousarray(T_voxel_cam[:3, 3])
    march_rays(start, directions, np.full(len(met), np.inf), blocked, seen, met)
    return met


def see_exactly(image: ImageRecord, T_voxel_global: Float64, seen: NDArray[np.uint8]) -> None:
    """Mark the voxels (X,Y,Z) on every pixel's ray up to its exact depth, that of the surface included."""
    height_px, width_px = image.depth_m.shape
    rays = pixel_rays(image.K, width_px, height_px, 1)
    depth_m = image.depth_m.reshape(-1).astype(np.float64)
    T_voxel_cam = T_voxel_global @ image.T_global_cam
    along = rays @ T_voxel_cam[:3, :3].T
    # Into the voxel of the surface, where that lies on its border.
    reach = np.where(depth_m > 0, np.linalg.norm(along, axis=1) * depth_m + 0.02, np.inf)
    seen_by_rays(T_voxel_cam[:3, 3], along, reach, seen)
