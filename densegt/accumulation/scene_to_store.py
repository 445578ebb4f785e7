"""One scene of a recording into its file of a depth store."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from densegt.accumulation.cloud import Cloud
from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.motion.discovery.track_file import write_tracks
from densegt.accumulation.pipeline import accumulate_scene
from densegt.accumulation.scene_input import ExaminedScene
from densegt.accumulation.sweep_returns import MotionVotes
from densegt.batch.job import ReportProgress, SceneResult
from densegt.batch.progress import SceneProgress
from densegt.batch.stage_seconds import StageSeconds
from densegt.datasets.sanity.finding import in_lines
from densegt.datasets.scene import Camera, Points, Scene, Sweep
from densegt.datasets.set_aside import as_dicts, in_one_line
from densegt.depth.depth_map import DepthMap
from densegt.depth.store import SceneWriter


def accumulate_to_store(
    examined: ExaminedScene,
    config: AccumulateConfig,
    new_writer: Callable[..., SceneWriter],
    *,
    threads: int = 1,
    report: ReportProgress = lambda progress: None,
    votes: MotionVotes | None = None,
    finish: Callable[[Camera, DepthMap], DepthMap] = lambda camera, depth: depth,
) -> SceneResult:
    """Accumulate one scene and write its depth maps, and the tracks of what was found without labels.

    Args:
        new_writer: makes the writer, given the lidars' models as `inferred`.
        threads: at work on the scene.
        report: called after every sweep and image.
        votes: on what moves, beside free space.
        finish: what is written of each depth map.

    Raises:
        InputError: a sweep cannot be read.
    """
    seconds, counter = StageSeconds("gather"), _Counter(report)
    scene, lidars = counter.counting_points(examined.scene), examined.lidars
    inferred = {evidence.channel: evidence.as_dict() for evidence in lidars}
    contradictions = in_lines(examined.findings)
    said = {"contradictions": contradictions, **({"notes": scene.notes} if scene.notes else {})}
    coverage, writer = [], new_writer(inferred={**inferred, **said})

    def built(cloud: Cloud) -> None:
        # All sweeps have been read: nothing more will turn out to be bad.
        if examined.set_aside:
            writer.set_aside(as_dicts(examined.set_aside))
        if config.motion in ("auto", "free"):
            _write_tracks(writer.path.parent / "tracks", scene, cloud)
        seconds.enter("render")

    # BLAS adds up in another order on another number of threads, and the last bit would tell how many there were.
    with threadpool_limits(limits=1, user_api="blas"), writer:
        # Closed, so that threads have ended before the file is closed or removed.
        depths = accumulate_scene(scene, config, threads=threads, progress=counter.step, built=built, votes=votes)
        with closing(depths):
            for camera, rendered in depths:
                depth = finish(camera, rendered)
                seconds.enter("write")
                writer.write(camera, depth)
                coverage.append(float((depth.depth_m > 0).mean()))
                counter.keyframes.add(camera.sample_token)
                seconds.enter("render")
        seconds.enter("write")
    return SceneResult(
        name=scene.name,
        status="done",
        path=writer.path,
        images=len(coverage),
        coverage=float(np.mean(coverage)),
        keyframes=len(counter.keyframes),
        bytes=writer.path.stat().st_size,
        counts={"sweeps": len(scene.sweeps), "points": counter.points},
        seconds=seconds.end(),
        details={"lidars": inferred, "set_aside": as_dicts(examined.set_aside)},
        notes=(*scene.notes, *(evidence.line() for evidence in lidars if evidence.given is None)),
        warnings=(
            *(warning for evidence in lidars for warning in evidence.warnings()),
            *contradictions,
            *in_one_line(examined.set_aside),
        ),
    )


def _write_tracks(folder: Path, scene: Scene, cloud: Cloud) -> None:
    """Write detected tracks as `<folder>/<scene>.json`, before the depth is under its final name."""
    folder.mkdir(exist_ok=True)
    write_tracks(
        folder / f"{scene.name}.json",
        scene.name,
        {sweep.sample_token: sweep.timestamp_us for sweep in scene.sweeps if sweep.is_keyframe},
        cloud.movers[len(cloud.movers) - len(cloud.detected_tracks) :],
        period_s=cloud.period_s,
        start_us=cloud.start_us,
    )


class _Counter:
    """Steps, keyframes and points of a scene so far."""

    def __init__(self, report: ReportProgress) -> None:
        self._report = report
        self._steps = self.points = 0
        self.keyframes: set[str] = set()

    def step(self) -> None:
        """Count a sweep that was read or an image that was written."""
        self._steps += 1
        self._report(SceneProgress(self._steps, len(self.keyframes)))

    def counting_points(self, scene: Scene) -> Scene:
        """The same scene; its points are counted when they are read."""

        def read(sweep: Sweep) -> Points:
            points = scene.read_points(sweep)
            self.points += len(points.ring)
            return points

        return replace(scene, read_points=read)
