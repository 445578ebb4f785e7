"""Leave-one-out over the scenes of a dataset, and its figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import densegt
from densegt.accumulate.config import AccumulateConfig
from densegt.accumulate.leave_one_out.scene import MOVERS, REST, Progress, Scores, score_scene
from densegt.accumulate.scene_input import read_scene
from densegt.batch.executor import Executor, Failed, Here, Local
from densegt.batch.recording_handle import RecordingHandle
from densegt.datasets import RecordingPath
from densegt.depth.figures import DEFINITIONS, Figures, Summary, ratio
from densegt.errors import InputError

NOTES = {
    "held out": "for each keyframe, the sweep that belongs to it takes no part in the depth that is scored on its "
    "points; those are the points of the sweep that the camera could see past the sweep's own surfaces",
    "counted": "pixels with a held-out point nearer than max_depth_m; every figure is pooled over all images",
    "nearest_wins": "the yardstick: all returns of the same sweeps projected as they are, the nearest in each pixel",
    "movers": "held-out points inside the box of an annotated object that moves; carried to the exposure by its track",
    "rest": "all other held-out points, whatever moves without a label among them",
    "outlier_ratio": "nearest_wins' outlier_percent / densegt's",
}


@dataclass(frozen=True)
class Job:
    """What to score.

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
class Method:
    """One method's figures: over all held-out points, and by group.

    Attributes:
        by_motion: movers and rest; empty where the recording has no labels.
        by_source: by where the prediction comes from; empty for what has no sources.
    """

    all: Figures
    by_motion: dict[str, Figures]
    by_range: dict[str, Figures]
    by_source: dict[str, Figures]


@dataclass(frozen=True)
class Comparison:
    """Both methods on the same held-out points of `images` images."""

    images: int
    densegt: Method
    nearest_wins: Method

    @property
    def outlier_ratio(self) -> float | None:
        """How many times nearest wins' share of outliers is densegt's."""
        ours, theirs = self.densegt.all.outlier_percent, self.nearest_wins.all.outlier_percent
        return None if ours is None or theirs is None else ratio(theirs, ours)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "outlier_ratio": self.outlier_ratio}


@dataclass(frozen=True)
class LeaveOneOut:
    """What came of it.

    Attributes:
        whole: over all scenes that worked.
        scenes: the same, scene by scene.
        failed: why, by scene.
    """

    job: Job
    whole: Comparison
    scenes: dict[str, Comparison]
    failed: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """For JSON: the whole at the top, then scenes, what failed, config and definitions."""
        return {
            **self.whole.as_dict(),
            "max_depth_m": self.job.max_depth_m,
            "every": self.job.every,
            "scenes": {name: scene.as_dict() for name, scene in self.scenes.items()},
            "failed": self.failed,
            "config": {"accumulate": self.job.config.model_dump(mode="json"), "cameras": list(self.job.cameras)},
            "definitions": {**DEFINITIONS, **NOTES},
            "densegt_version": densegt.__version__,
        }


def leave_one_out(
    job: Job, names: Sequence[str], *, workers: int = 1, progress: Progress = lambda done, total: None
) -> LeaveOneOut:
    """Score scenes; one that fails is listed and the others go on.

    Args:
        workers: scenes at the same time.
        progress: told (hundredths of scenes done, in all).

    Raises:
        InputError: no scene worked; says why the first did not.
    """
    hundredths = dict.fromkeys(names, 0)

    def heard(name: str, so_far: int) -> None:
        hundredths[name] = so_far
        progress(sum(hundredths.values()), 100 * len(names))

    executor: Executor = Here() if workers <= 1 or len(names) <= 1 else Local(workers)
    work = partial(_score_one, job, RecordingHandle(job.recording))
    outcome: dict[str, Scores | str] = {}
    for name, result in executor.run(work, names, heard):
        outcome[name] = result.why if isinstance(result, Failed) else result
        heard(name, 100)
    failed = {name: why for name in names if isinstance(why := outcome[name], str)}
    if len(failed) == len(names):
        raise InputError(next(iter(failed.values())))
    whole, scenes = Scores(max_depth_m=job.max_depth_m), {}
    for name in names:
        scores = outcome[name]
        if isinstance(scores, Scores):
            whole.merge(scores)
            scenes[name] = compare(scores)
    return LeaveOneOut(job, compare(whole), scenes, failed)


def _score_one(job: Job, handle: RecordingHandle, name: str, tell: Callable[[int], None]) -> Scores:
    """One scene's scores; tells how many hundredths of it are done."""
    scene = read_scene(handle.recording, name, job.config, cameras=job.cameras)

    def progress(done: int, total: int) -> None:
        tell(100 * done // total)

    return score_scene(scene, job.config, every=job.every, max_depth_m=job.max_depth_m, progress=progress)


def compare(scores: Scores) -> Comparison:
    """The figures of what was counted."""
    ours, theirs = scores.densegt.compute(), scores.nearest_wins.compute()
    return Comparison(ours.images, _method(ours, sources=True), _method(theirs, sources=False))


def _method(summary: Summary, *, sources: bool) -> Method:
    kinds = summary.by_kind
    return Method(
        all=summary.all,
        by_motion={"movers": kinds[MOVERS.name.lower()], "rest": kinds[REST.name.lower()]} if kinds else {},
        by_range=summary.by_range,
        by_source={name: f for name, f in summary.by_source.items() if name != "none"} if sources else {},
    )
