"""One scene of a recording into its file of an occupancy store."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from threadpoolctl import threadpool_limits

from densegt.accumulation.cloud import Cloud
from densegt.accumulation.pipeline import build_cloud
from densegt.accumulation.scene_input import ExaminedScene
from densegt.batch.job import ReportProgress, SceneResult
from densegt.batch.progress import SceneProgress
from densegt.batch.stage_seconds import StageSeconds
from densegt.datasets.sanity.finding import in_lines
from densegt.datasets.scene import Scene
from densegt.datasets.set_aside import as_dicts, in_one_line
from densegt.occupancy.classes import SceneClasses
from densegt.occupancy.config import OccupancyConfig
from densegt.occupancy.grid import VoxelGrid
from densegt.occupancy.pipeline import occupancy_of_scene
from densegt.occupancy.store import MoverName, OccupancyWriter
from densegt.occupancy.voxels import State

ClassSource = Callable[[Cloud, Scene], SceneClasses | None]


def occupancy_to_store(
    examined: ExaminedScene,
    grid: VoxelGrid,
    config: OccupancyConfig,
    new_writer: Callable[..., OccupancyWriter],
    *,
    classes: ClassSource,
    report: ReportProgress = lambda progress: None,
) -> SceneResult:
    """Write the voxels of one scene's keyframes.

    Args:
        new_writer: makes the writer, given the lidars' models as `inferred`.
        classes: makes what is known of the scene's classes, from its cloud.
        report: called after every sweep and keyframe.

    Raises:
        InputError: a sweep cannot be read.
    """
    scene, seconds = examined.scene, StageSeconds("gather")
    inferred = {evidence.channel: evidence.as_dict() for evidence in examined.lidars}
    contradictions = in_lines(examined.findings)
    writer = new_writer(inferred={**inferred, **({"contradictions": contradictions} if contradictions else {})})
    observed: list[float] = []
    steps = occupied = 0

    def step() -> None:
        nonlocal steps
        steps += 1
        report(SceneProgress(steps, len(observed)))

    # BLAS adds up in another order on another number of threads.
    with threadpool_limits(limits=1, user_api="blas"), writer:
        cloud = build_cloud(scene, config, progress=step)
        writer.describe(grid, [MoverName(track.token, track.category) for track, _ in cloud.movers])
        if examined.set_aside:
            writer.set_aside(as_dicts(examined.set_aside))
        seconds.enter("voxels")
        told = classes(cloud, scene)
        for voxels in occupancy_of_scene(cloud, scene, grid, config, classes=told, progress=step):
            seconds.enter("write")
            sweep = scene.sweeps[voxels.frame.sweep]
            writer.write(voxels, sweep_token=sweep.token, filename=sweep.path.name)
            observed.append(float((voxels.state != State.UNOBSERVED).mean()))
            occupied += int(voxels.occupied.sum())
            seconds.enter("voxels")
        seconds.enter("write")
    return SceneResult(
        name=scene.name,
        status="done",
        path=writer.path,
        images=len(observed),
        coverage=float(np.mean(observed)) if observed else 0.0,
        keyframes=len(observed),
        bytes=writer.path.stat().st_size,
        counts={"sweeps": len(scene.sweeps), "occupied_voxels": occupied},
        seconds=seconds.end(),
        details={"lidars": inferred, "set_aside": as_dicts(examined.set_aside)},
        notes=(*scene.notes, *(evidence.line() for evidence in examined.lidars if evidence.given is None)),
        warnings=(
            *(warning for evidence in examined.lidars for warning in evidence.warnings()),
            *contradictions,
            *in_one_line(examined.set_aside),
        ),
    )
