"""The table of pseudo-LiDAR: detectors, where their points come from, and what depth was learned from, over seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from densegt.batch.executor import Executor, Failed
from densegt.detection.registry import POINT_DETECTORS
from densegt.experiments.experiment_config import ExperimentConfig, possible_supervisions
from densegt.experiments.matrix import Progress, Report, Result, Subject, carry_out, finished, write_summary
from densegt.experiments.pl_trial import AP, BANDS, CURVES, FIGURES, FirstHalf, PlTrial, begin, perform_pl
from densegt.experiments.pl_variants import pl_variants

SUBJECT = Subject(
    title="What points are worth to a detector: a lidar's, and those of a depth net that is told, or not",
    figures=FIGURES,
    asked=("BEV AP at 0.5", "BEV AP at 0.7", "3D AP at 0.5", "depth MAE m"),
    plotted=(*AP, "nuScenes car AP at 2 m", "depth MAE m"),
    by_range=tuple(f"depth MAE m, {band}" for band in BANDS),
    curves=CURVES,
)


def run_pl(
    experiment: ExperimentConfig, executor: Executor, report: Report, progress: Progress | None = None
) -> list[tuple[str, str]]:
    """Do what is not done yet, and write `benchmark.json`; gives trials that failed, and why.

    Raises:
        InputError: what is in `out` is of another configuration, or the data cannot be read.
    """
    supervisions, detectors = possible_supervisions(experiment.sources), experiment.detectors or POINT_DETECTORS
    variants = pl_variants(experiment.design, supervisions, detectors)
    trials = [PlTrial(variant, seed, experiment) for seed in experiment.seed_range for variant in variants]
    for note in experiment.notes:
        report(note)
    halves = {trial.beginning.folder: trial.beginning for trial in trials if finished(trial) is None}

    def ahead(done: int, total: int) -> None:
        if progress:
            progress(done + len(halves), total + len(halves))

    failed = _begun(list(halves.values()), executor, report, lambda done: ahead(done - len(halves), len(trials)))
    ready = [trial for trial in trials if trial.beginning.folder not in failed]
    results, others = carry_out(ready, perform_pl, executor, report, _line, ahead)
    if results:
        write_summary(experiment.out, SUBJECT, variants, results, experiment.summary_head(len(trials)))
    return [*failed.values(), *others]


def _begun(
    halves: Sequence[FirstHalf], executor: Executor, report: Report, told: Callable[[int], None]
) -> dict[Path, tuple[str, str]]:
    """Train the first halves; gives the folders of those that failed, with a name and why."""
    failed: dict[Path, tuple[str, str]] = {}
    for place, (half, answer) in enumerate(executor.run(begin, halves)):
        if isinstance(answer, Failed):
            failed[half.folder] = (f"first half {half.folder.parent.name} with seed {half.seed}", answer.why)
            report(f"{failed[half.folder][0]}: failed: {answer.why}")
        told(place + 1)
    return failed


def _line(result: Result) -> str:
    figures, seconds = result["figures"], result["seconds"]
    shown = ", ".join(f"{name} {figures[name]:.3f}" for name in ("BEV AP at 0.5", "BEV AP at 0.7", "3D AP at 0.5"))
    took_s = seconds["training"] + seconds["scoring"]
    return f"{result['variant']}, seed {result['seed']}: {shown} ({took_s:.0f} s)"
