"""Completion methods beside each other on a recording: from one sweep and from accumulated depth, errors and time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

import numpy as np

import densegt
from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.leave_one_out.scene import in_memory
from densegt.accumulation.scene_input import examine
from densegt.batch.executor import Executor, Failed, Local, Serial
from densegt.batch.recording_handle import RecordingHandle
from densegt.completion.ip_basic import ip_basic
from densegt.completion.method import Method
from densegt.completion.registry import open_method
from densegt.datasets import RecordingPath
from densegt.depth.figures import DEFINITIONS, Summary, percent, ratio
from densegt.depth.matching import known
from densegt.depth.metrics import DepthMetrics
from densegt.errors import InputError
from densegt.experiments.completion_inputs import INPUTS, CompletionCase, exact_cases, held_out_cases

Progress = Callable[[int, int], None]
IP_BASIC, CLASSICAL, NETWORK = "IP-Basic", "classical", "network"
NOTES = {
    "counted": "pixels with a truth nearer than max_depth_m that every method answers, so that errors can be compared",
    "answered_percent": "share of pixels with such a truth that get a depth",
    "sky_percent": "share of pixels without any surface that get a depth; only where exact depth says so",
    "seconds": "processor time of an image, the mean; the first one, that compiles and warms up, is not among them",
    "one sweep": "the keyframe's own sweep; without --truth every other beam of it, scored on the rest",
    "accumulated": "depth of all sweeps; without --truth of all but the keyframe's own, scored on that",
    "truth": "without --truth, points of the keyframe's own sweep that the camera surely sees (see leave-one-out)",
}


@dataclass(frozen=True)
class CompletionComparisonJob:
    """What is compared on what.

    Attributes:
        truth: store of exact depth; without one a keyframe's own sweep is held out.
        checkpoint: weights of the network, where not those that ship.
        cameras: channels, all where empty.
        every: only every n-th keyframe of a scene.
        max_depth_m: truth from here on is not counted.
    """

    recording: RecordingPath
    config: AccumulateConfig
    truth: Path | None = None
    checkpoint: Path | None = None
    cameras: tuple[str, ...] = ()
    every: int = 1
    max_depth_m: float = 60.0

    def methods(self) -> dict[str, Method]:
        """The methods by name; without the network where torch is not there and no weights were named.

        Raises:
            InputError: the weights cannot be read.
        """
        methods: dict[str, Method] = {IP_BASIC: ip_basic, CLASSICAL: open_method(CLASSICAL)}
        if self.checkpoint is not None or find_spec("torch"):
            methods[NETWORK] = open_method(NETWORK, self.checkpoint)
        return methods


class MethodScore:
    """Adds up one method's images of one input."""

    def __init__(self, max_depth_m: float) -> None:
        self.errors = DepthMetrics(max_depth_m=max_depth_m)
        self.counts = np.zeros(4)
        self.seconds, self.timed = 0.0, 0

    def merge(self, other: Self) -> None:
        """Add all that `other` has counted."""
        self.errors.merge(other.errors)
        self.counts += other.counts
        self.seconds, self.timed = self.seconds + other.seconds, self.timed + other.timed

    def compute(self) -> MethodResult:
        """Its figures."""
        answered, asked, in_sky, sky = self.counts.tolist()
        return MethodResult(
            self.errors.compute(), percent(answered, asked), percent(in_sky, sky), ratio(self.seconds, self.timed)
        )


@dataclass(frozen=True)
class MethodResult:
    """Figures of one method on one input; see NOTES."""

    summary: Summary
    answered_percent: float | None
    sky_percent: float | None
    seconds: float | None


Scores = dict[tuple[str, str], MethodScore]


@dataclass(frozen=True)
class CompletionComparison:
    """Figures by input and method, and the scenes that failed, with why."""

    job: CompletionComparisonJob
    results: Mapping[str, Mapping[str, MethodResult]]
    failed: Mapping[str, str]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "inputs": {
                name: {method: asdict(result) for method, result in of.items()} for name, of in self.results.items()
            },
            "failed": dict(self.failed),
            "max_depth_m": self.job.max_depth_m,
            "every": self.job.every,
            "config": {"accumulate": self.job.config.model_dump(mode="json"), "cameras": list(self.job.cameras)},
            "definitions": {**DEFINITIONS, **NOTES},
            "densegt_version": densegt.__version__,
        }


def compare_completion(
    job: CompletionComparisonJob,
    names: Sequence[str],
    *,
    workers: int = 1,
    progress: Progress = lambda done, total: None,
) -> CompletionComparison:
    """Figures of every method over scenes; one that fails is listed and the others go on.

    Args:
        workers: scenes at the same time.
        progress: called with (scenes done, in all).

    Raises:
        InputError: no scene worked, says why the first did not; or a method cannot be had.
    """
    job.methods()
    executor: Executor = Serial() if workers <= 1 or len(names) <= 1 else Local(workers)
    work = partial(_score_one, job, RecordingHandle(job.recording))
    whole: Scores = {}
    failed: dict[str, str] = {}
    for done, (name, result) in enumerate(executor.run(work, names, lambda name, so_far: None), start=1):
        if isinstance(result, Failed):
            failed[name] = result.why
        else:
            _merge(whole, result)
        progress(done, len(names))
    if len(failed) == len(names):
        raise InputError(failed[names[0]])
    results = {name: {of: s.compute() for (at, of), s in whole.items() if at == name} for name in INPUTS}
    return CompletionComparison(job, results, {name: failed[name] for name in names if name in failed})


def _merge(whole: Scores, part: Scores) -> None:
    for key, score in part.items():
        if key in whole:
            whole[key].merge(score)
        else:
            whole[key] = score


def _score_one(
    job: CompletionComparisonJob, handle: RecordingHandle, name: str, advance: Callable[[int], None]
) -> Scores:
    """Every method's scores on one scene."""
    scene = handle.recording.scene(name, cameras=job.cameras)
    scene = in_memory(examine(scene, job.config.lidar, sane=False, strict=job.recording.strict).scene)
    if job.truth is None:
        cases = held_out_cases(scene, job.config, job.every)
    else:
        cases = exact_cases(scene, job.config, job.every, job.truth / f"{name}.h5")
    methods, scores = job.methods(), Scores()
    for case in cases:
        for method in methods:
            scores.setdefault((case.input, method), MethodScore(job.max_depth_m))
        score_case(case, methods, {method: scores[case.input, method] for method in methods})
    return scores


def score_case(case: CompletionCase, methods: Mapping[str, Method], scores: Mapping[str, MethodScore]) -> None:
    """Add one image to every method's scores."""
    depths = {}
    for name, method in methods.items():
        start = time.process_time()
        depths[name] = method(case.given).depth_m
        # The first image of a size is slower than all others.
        if scores[name].counts[1] > 0:
            scores[name].seconds += time.process_time() - start
            scores[name].timed += 1
    surface = known(case.truth_m)
    asked = surface & (case.truth_m < scores[CLASSICAL].errors.max_depth_m)
    sky = ~surface & case.exact
    common = np.all([known(depth_m) for depth_m in depths.values()], axis=0)
    for name, depth_m in depths.items():
        has, score = known(depth_m), scores[name]
        score.counts += [(asked & has).sum(), asked.sum(), (sky & has).sum(), sky.sum()]
        compared_m = np.where(common, depth_m, np.float32(0))
        score.errors.update(compared_m, case.truth_m, kind=case.kind)
