"""One scene from the tables to its file: the item of work that an executor does."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from threadpoolctl import threadpool_limits

from densegt.accumulate.cloud import Cloud
from densegt.accumulate.job import Job, SceneDone
from densegt.accumulate.motion.discovery.track_file import write_tracks
from densegt.accumulate.pipeline import accumulate_scene
from densegt.accumulate.scene_input import with_lidar_models
from densegt.batch.progress import SceneProgress
from densegt.batch.recording_handle import RecordingHandle
from densegt.batch.resume import is_finished
from densegt.batch.scene_lock import scene_lock
from densegt.datasets.recording import Recording
from densegt.datasets.scene import Points, Scene, Sweep
from densegt.depth.store import SceneWriter
from densegt.errors import InputError

Tell = Callable[[SceneProgress], None]


def store_scene(job: Job, handle: RecordingHandle, patient: bool, name: str, tell: Tell) -> SceneDone | None:
    """Accumulate one scene into `<out>/<name>.h5`, written whole or not at all; None where another run is at it.

    Args:
        patient: wait for the other run, and take its file or do what it left undone.

    Raises:
        InputError: the scene cannot be read, or something else came under its name meanwhile.
    """
    with scene_lock(job.out, name, patient=patient) as mine:
        if not mine:
            return None
        if is_finished(job, handle.recording, name):
            return SceneDone(name, "skipped", job.path(name))
        return _accumulate_to_store(job, handle.recording, name, tell)


def _accumulate_to_store(job: Job, recording: Recording, name: str, tell: Tell) -> SceneDone:
    stages, count = Stages(), _Count(tell)
    scene, lidars = with_lidar_models(recording.scene(name, cameras=job.cameras), job.config.lidar)
    inferred = {evidence.channel: evidence.as_dict() for evidence in lidars}
    scene = count.points_of(scene)
    if not scene.cameras:
        raise InputError(f"{recording.source}: scene {name} has no keyframe camera to render")
    known = []

    def built(cloud: Cloud) -> None:
        _write_tracks(job, scene, cloud)
        stages.enter("render")

    made_of = recording.fingerprint(name)
    # BLAS adds up in another order on another number of threads, and the last bit would tell how many there were.
    with (
        threadpool_limits(limits=1, user_api="blas"),
        SceneWriter(job.out, name, job.saved(), input_digest=made_of, inferred=inferred, overwrite=True) as writer,
    ):
        for camera, depth in accumulate_scene(scene, job.config, progress=count.step, built=built):
            stages.enter("write")
            writer.write(camera, depth)
            known.append(float((depth.depth_m > 0).mean()))
            count.keyframes.add(camera.sample_token)
            stages.enter("render")
        stages.enter("write")
    return SceneDone(
        name=name,
        status="done",
        path=writer.path,
        images=len(known),
        coverage=float(np.mean(known)),
        keyframes=len(count.keyframes),
        sweeps=len(scene.sweeps),
        points=count.points,
        bytes=writer.path.stat().st_size,
        seconds=stages.end(),
        lidars=inferred,
        notes=tuple(evidence.line() for evidence in lidars if evidence.given is None),
        warnings=tuple(warning for evidence in lidars for warning in evidence.warnings()),
    )


def _write_tracks(job: Job, scene: Scene, cloud: Cloud) -> None:
    """Write detected tracks as `<out>/tracks/<scene>.json`, before the depth is under its final name."""
    if job.config.motion not in ("auto", "free"):
        return
    folder = job.out / "tracks"
    folder.mkdir(exist_ok=True)
    write_tracks(
        folder / f"{scene.name}.json",
        scene.name,
        {sweep.sample_token: sweep.timestamp_us for sweep in scene.sweeps if sweep.is_keyframe},
        cloud.movers[len(cloud.movers) - len(cloud.detected_tracks) :],
        period_s=cloud.period_s,
        start_us=cloud.start_us,
    )


class Stages:
    """Seconds spent in each stage; one follows the other."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._stage, self._since = "gather", time.monotonic()

    def enter(self, stage: str) -> None:
        """Leave the stage so far for this one."""
        now = time.monotonic()
        self._seconds[self._stage] = self._seconds.get(self._stage, 0.0) + now - self._since
        self._stage, self._since = stage, now

    def end(self) -> dict[str, float]:
        """Leave the last; all of them."""
        self.enter("")
        return {stage: round(seconds, 3) for stage, seconds in self._seconds.items()}


class _Count:
    """Progress of a scene."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._steps = self.points = 0
        self.keyframes: set[str] = set()

    def step(self) -> None:
        """A sweep is read or an image written."""
        self._steps += 1
        self._tell(SceneProgress(self._steps, len(self.keyframes)))

    def points_of(self, scene: Scene) -> Scene:
        """The same scene, its points counted when they are read."""

        def read(sweep: Sweep) -> Points:
            points = scene.read_points(sweep)
            self.points += len(points.ring)
            return points

        return replace(scene, read_points=read)
