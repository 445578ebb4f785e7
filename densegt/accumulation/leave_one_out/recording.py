"""Leave-one-out over the scenes of a dataset, and its figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import densegt
from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.leave_one_out.scene import (
    MOVERS,
    REST,
    LeaveOneOutMetrics,
    MethodMetrics,
    Progress,
    score_scene,
)
from densegt.accumulation.leave_one_out.sight import Sight
from densegt.accumulation.scene_input import examine
from densegt.batch.executor import Executor, Failed, Local, Serial
from densegt.batch.recording_handle import RecordingHandle
from densegt.datasets import RecordingPath
from densegt.datasets.set_aside import in_one_line
from densegt.depth.figures import DEFINITIONS, Figures, Summary, ratio
from densegt.errors import InputError

NOTES = {
    "held out": "for each keyframe, the sweeps of its moment take no part in the depth that is scored on their "
    "points; those are the points that the camera could see past the sweeps' own surfaces",
    "sure": "points whose sight line from the camera the lidar's beams found free, at that moment or one or two before "
    "or after; what beams met behind a window is among them",
    "ambiguous": "points near a nearer surface, or where no beam came back: the camera may not see them",
    "hidden": "points whose sight line crosses a surface that the lidar measured",
    "counted": "pixels with a held-out point nearer than max_depth_m; every figure is pooled over all images",
    "z_buffer_baseline": "all returns of the same sweeps projected as they are, the nearest in each pixel",
    "movers": "held-out points inside the box of an annotated object that moves; carried to the exposure by its track",
    "rest": "all other held-out points, movers without annotation among them",
    "outlier_ratio": "z_buffer_baseline's outlier_percent / densegt's",
}


@dataclass(frozen=True)
class LeaveOneOutJob:
    """The scenes to score and how.

    Attributes:
        cameras: channels, all where empty.
        every: only every n-th keyframe of a scene.
        max_depth_m: points from here on are not counted.
    """

    recording: RecordingPath
    config: AccumulateConfig
    cameras: tuple[str, ...] = ()
    every: int = 1
    max_depth_m: float = 60.0


@dataclass(frozen=True)
class MethodFigures:
    """One method's figures: over all held-out points, and by group.

    Attributes:
        by_motion: movers and rest; empty where the recording has no annotations.
        by_source: by where the prediction comes from; empty for what has no sources.
    """

    all: Figures
    by_motion: dict[str, Figures]
    by_range: dict[str, Figures]
    by_source: dict[str, Figures]


@dataclass(frozen=True)
class MethodComparison:
    """Both methods on the same held-out points."""

    densegt: MethodFigures
    z_buffer_baseline: MethodFigures

    @property
    def outlier_ratio(self) -> float | None:
        """The baseline's share of outliers over densegt's."""
        ours, theirs = self.densegt.all.outlier_percent, self.z_buffer_baseline.all.outlier_percent
        return None if ours is None or theirs is None else ratio(theirs, ours)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "outlier_ratio": self.outlier_ratio}


@dataclass(frozen=True)
class SightComparison:
    """Both methods on the held-out points of `images` images: on those that the camera surely sees, and on the rest."""

    images: int
    sure: MethodComparison
    ambiguous: MethodComparison
    hidden: MethodComparison
    all_points: MethodComparison

    def as_dict(self) -> dict[str, Any]:
        """For JSON; all points at the top."""
        by_sight = {sight.name.lower(): getattr(self, sight.name.lower()).as_dict() for sight in Sight}
        return {"images": self.images, **self.all_points.as_dict(), **by_sight}


@dataclass(frozen=True)
class LeaveOneOutResult:
    """The figures of all scenes.

    Attributes:
        whole: over all scenes that worked.
        scenes: the same, scene by scene.
        failed: why, by scene.
        set_aside: what was left out, a line each, by scene.
    """

    job: LeaveOneOutJob
    whole: SightComparison
    scenes: dict[str, SightComparison]
    failed: dict[str, str]
    set_aside: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """For JSON: the whole at the top, then scenes, what failed, config and definitions."""
        return {
            **self.whole.as_dict(),
            "max_depth_m": self.job.max_depth_m,
            "every": self.job.every,
            "scenes": {name: scene.as_dict() for name, scene in self.scenes.items()},
            "failed": self.failed,
            "set_aside": self.set_aside,
            "config": {"accumulate": self.job.config.model_dump(mode="json"), "cameras": list(self.job.cameras)},
            "definitions": {**DEFINITIONS, **NOTES},
            "densegt_version": densegt.__version__,
        }


def leave_one_out(
    job: LeaveOneOutJob, names: Sequence[str], *, workers: int = 1, progress: Progress = lambda done, total: None
) -> LeaveOneOutResult:
    """Figures of scenes; one that fails is listed and the others go on.

    Args:
        workers: scenes at the same time.
        progress: called with (hundredths of scenes done, in all).

    Raises:
        InputError: no scene worked; says why the first did not.
    """
    hundredths = dict.fromkeys(names, 0)

    def advance(name: str, so_far: int) -> None:
        hundredths[name] = so_far
        progress(sum(hundredths.values()), 100 * len(names))

    executor: Executor = Serial() if workers <= 1 or len(names) <= 1 else Local(workers)
    work = partial(_score_one, job, RecordingHandle(job.recording))
    outcome: dict[str, tuple[LeaveOneOutMetrics, tuple[str, ...]] | str] = {}
    for name, result in executor.run(work, names, advance):
        outcome[name] = result.why if isinstance(result, Failed) else result
        advance(name, 100)
    failed = {name: why for name in names if isinstance(why := outcome[name], str)}
    if len(failed) == len(names):
        raise InputError(next(iter(failed.values())))
    whole, scenes = LeaveOneOutMetrics(max_depth_m=job.max_depth_m), {}
    set_aside: dict[str, str] = {}
    for name in names:
        scored = outcome[name]
        if not isinstance(scored, str):
            metrics, lines = scored
            whole.merge(metrics)
            scenes[name] = compare(metrics)
            set_aside.update((name, line) for line in lines)
    return LeaveOneOutResult(job, compare(whole), scenes, failed, set_aside)


def _score_one(
    job: LeaveOneOutJob, handle: RecordingHandle, name: str, advance: Callable[[int], None]
) -> tuple[LeaveOneOutMetrics, tuple[str, ...]]:
    """One scene's metrics, and a line on what was set aside; `advance` is called with the hundredths done."""
    scene = handle.recording.scene(name, cameras=job.cameras)
    examined = examine(scene, job.config.lidar, sane=False, strict=job.recording.strict)

    def progress(done: int, total: int) -> None:
        advance(100 * done // total)

    metrics = score_scene(examined.scene, job.config, every=job.every, max_depth_m=job.max_depth_m, progress=progress)
    return metrics, in_one_line(examined.set_aside)


def compare(metrics: LeaveOneOutMetrics) -> SightComparison:
    """The figures of both methods on points of each sight."""
    sure, ambiguous, hidden = (_compared(metrics.by_sight[sight]) for sight in Sight)
    images = metrics.all.densegt.compute().images
    return SightComparison(images, sure, ambiguous, hidden, all_points=_compared(metrics.all))


def _compared(metrics: MethodMetrics) -> MethodComparison:
    ours, theirs = metrics.densegt.compute(), metrics.z_buffer_baseline.compute()
    return MethodComparison(_figures(ours, sources=True), _figures(theirs, sources=False))


def _figures(summary: Summary, *, sources: bool) -> MethodFigures:
    kinds = summary.by_kind
    return MethodFigures(
        all=summary.all,
        by_motion={"movers": kinds[MOVERS.name.lower()], "rest": kinds[REST.name.lower()]} if kinds else {},
        by_range=summary.by_range,
        by_source={name: f for name, f in summary.by_source.items() if name != "none"} if sources else {},
    )
