"""The whole comparison of Lift-Splat detectors: every variant with every seed, and what it says."""

from __future__ import annotations

from densegt.batch.executor import Executor
from densegt.experiments.experiment_config import ExperimentConfig, possible_supervisions
from densegt.experiments.figures import ASKED, FIGURES
from densegt.experiments.lss_trial import LssTrial, perform
from densegt.experiments.lss_variants import lss_variants
from densegt.experiments.matrix import Progress, Report, Result, Subject, carry_out, write_summary

SUBJECT = Subject(
    title="What depth, bins and samples are worth to a Lift-Splat detector",
    figures=FIGURES,
    asked=ASKED,
    plotted=("vehicle IoU", "mAP", "NDS", "vehicles' AP at 2 m", "depth MAE m", "depth MAE m near edges"),
    by_range=tuple(f"depth MAE m, {name}" for name in ("0 to 15 m", "15 to 35 m", "35 to 60 m")),
    curves=("vehicle IoU", "depth MAE m"),
)


def run(
    experiment: ExperimentConfig, executor: Executor, report: Report, progress: Progress | None = None
) -> list[tuple[str, str]]:
    """Do what is not done yet, and write `benchmark.json`; as many at the same time as the executor allows.

    Returns:
        Trials that failed, and why.

    Raises:
        InputError: what is in `out` is of another configuration, or the data cannot be read.
    """
    variants = lss_variants(experiment.design, possible_supervisions(experiment.sources))
    trials = [LssTrial(variant, seed, experiment) for seed in experiment.seed_range for variant in variants]
    for note in experiment.notes:
        report(note)
    results, failed = carry_out(trials, perform, executor, report, _line, progress)
    if results:
        write_summary(experiment.out, SUBJECT, variants, results, experiment.summary_head(len(trials)))
    return failed


def _line(result: Result) -> str:
    figures, seconds = result["figures"], result["seconds"]
    shown = ", ".join(f"{name} {figures[name]:.3f}" for name in ("vehicle IoU", "mAP", "depth MAE m"))
    took_s = seconds["training"] + seconds["scoring"]
    return f"{result['variant']}, seed {result['seed']}: {shown} ({took_s:.0f} s)"
