"""The line for a scene, and for a dataset."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from densegt.accumulate.cloud import gather
from densegt.accumulate.config import AccumulateConfig, LidarConfig
from densegt.accumulate.render import render
from densegt.accumulate.tracks import moving_tracks
from densegt.datasets.nuscenes import NuScenes
from densegt.datasets.nuscenes.spin import BY_NAME
from densegt.datasets.scene import Camera, Scene, SpinModel
from densegt.depth.depth_map import DepthMap
from densegt.depth.store import SceneWriter
from densegt.errors import InputError
from densegt.execute import run_local

# Told (done, total) in steps: sweeps read and images written.
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Job:
    """What to accumulate and where to.

    Attributes:
        dataroot, version: a nuScenes folder; version None is the only one there.
        cameras: channels, all where empty.
    """

    dataroot: Path
    version: str | None
    out: Path
    config: AccumulateConfig
    cameras: tuple[str, ...] = ()
    overwrite: bool = False


@dataclass(frozen=True)
class SceneDone:
    """A scene's file and its images, or why there is none."""

    name: str
    path: Path | None
    images: int
    coverage: float
    error: str | None


def accumulate_scene(
    scene: Scene, config: AccumulateConfig, tick: Callable[[], None] = lambda: None
) -> Iterator[tuple[Camera, DepthMap]]:
    """Dense depth of every keyframe camera of a scene, in order of time; `tick` after each sweep and image."""
    tracks = moving_tracks(scene, config.tracks) if config.motion in ("auto", "boxes") else []
    cloud = gather(scene, tracks, config, progress=tick)
    for camera in scene.cameras:
        yield camera, render(cloud, camera, config)
        tick()


def accumulate(
    job: Job, names: Sequence[str], *, workers: int = 1, progress: Progress | None = None
) -> list[SceneDone]:
    """Accumulate scenes; one that fails is reported in its result and the others go on.

    Results come in the order of `names`. Progress is told by the step with one worker, by the scene with more.
    """
    dataset = NuScenes(job.dataroot, job.version)
    steps = {name: dataset.steps(name) for name in names}
    done, total = 0, sum(steps.values())

    def tick() -> None:
        nonlocal done
        done += 1
        if progress:
            progress(min(done, total), total)

    alone = workers <= 1 or len(names) <= 1
    work = partial(_accumulate_one, job, dataset, tick) if alone else partial(_accumulate_one, job, None, None)
    results, finished = {}, 0
    for name, result in run_local(work, names, workers=workers):
        results[name] = result
        finished += steps[name]
        done = finished
        if progress:
            progress(done, total)
    return [results[name] for name in names]


def _accumulate_one(job: Job, dataset: NuScenes | None, tick: Callable[[], None] | None, name: str) -> SceneDone:
    try:
        scenes = dataset or NuScenes(job.dataroot, job.version)
        return accumulate_to_store(job, scenes, name, tick or (lambda: None))
    except (InputError, OSError) as error:
        return SceneDone(name, None, 0, 0.0, str(error))


def accumulate_to_store(job: Job, dataset: NuScenes, name: str, tick: Callable[[], None]) -> SceneDone:
    """Accumulate one scene into `<out>/<name>.h5`, written whole or not at all.

    Raises:
        InputError: the scene cannot be read, or its file exists already.
    """
    saved = {"accumulate": job.config.model_dump(mode="json"), "cameras": list(job.cameras)}
    writer = SceneWriter(job.out, name, saved, overwrite=job.overwrite)
    scene = dataset.scene(name, cameras=job.cameras, spin=spin_of(job.config.lidar))
    if not scene.cameras:
        raise InputError(f"{dataset.tables.folder}: scene {name} has no keyframe camera to render")
    known = []
    with writer:
        for camera, depth in accumulate_scene(scene, job.config, tick):
            writer.write(camera, depth)
            known.append(float((depth.depth_m > 0).mean()))
    return SceneDone(name, writer.path, len(known), float(np.mean(known)), None)


def spin_of(config: LidarConfig) -> SpinModel | None:
    """The spin model that the configuration names or spells out; None leaves it to the recording."""
    if config.model == "auto":
        return None
    if config.model != "custom":
        return BY_NAME[config.model]
    return SpinModel(
        clockwise=config.clockwise,
        period_s=config.period_s,
        seam_rad=float(np.deg2rad(config.seam_deg)),
        stamp_fraction=config.stamp_fraction,
        compensated=config.compensated,
    )
