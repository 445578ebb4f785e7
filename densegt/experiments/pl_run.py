"""The table of pseudo-LiDAR: detectors, where their points come from, and what depth was learned from, over seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from densegt.batch.executor import Executor, Failed
from densegt.detection.points.pseudo_lidar.config import PlConfig
from densegt.detection.train import Sources
from densegt.experiments.lss_run import head_of, notes_of, possible
from densegt.experiments.lss_variants import Design
from densegt.experiments.matrix import Progress, Result, Say, Subject, carry_out, finished, write_summary
from densegt.experiments.pl_trial import AP, BANDS, CURVES, FIGURES, Half, PlTrial, begin, perform_pl
from densegt.experiments.pl_variants import DETECTORS, Detector, pl_variants

SUBJECT = Subject(
    title="What points are worth to a detector: a lidar's, and those of a depth net that is told, or not",
    figures=FIGURES,
    asked=("BEV AP at 0.5", "BEV AP at 0.7", "3D AP at 0.5", "depth MAE m"),
    plotted=(*AP, "nuScenes car AP at 2 m", "depth MAE m"),
    by_range=tuple(f"depth MAE m, {band}" for band in BANDS),
    curves=CURVES,
)


@dataclass(frozen=True)
class PlBenchmark:
    """What to compare, on what.

    Attributes:
        seeds: how many, from the configuration's on.
    """

    folders: tuple[Sources, ...]
    out: Path
    config: PlConfig
    detectors: tuple[Detector, ...] = DETECTORS
    seeds: int = 3
    design: Design = "axes"
    command: str = ""


def run_pl(
    benchmark: PlBenchmark, executor: Executor, say: Say, progress: Progress | None = None
) -> list[tuple[str, str]]:
    """Do what is not done yet, and write `benchmark.json`; gives trials that failed, and why.

    Raises:
        InputError: what is in `out` is of another configuration, or the data cannot be read.
    """
    supervisions = possible(benchmark.folders)
    ways = pl_variants(benchmark.design, supervisions, benchmark.detectors)
    first = benchmark.config.seed
    trials = [
        PlTrial(arm, seed, benchmark.folders, benchmark.out, benchmark.config)
        for seed in range(first, first + benchmark.seeds)
        for arm in ways
    ]
    notes = notes_of(benchmark.folders)
    for note in notes:
        say(note)
    halves = {trial.beginning.folder: trial.beginning for trial in trials if finished(trial) is None}

    def ahead(done: int, total: int) -> None:
        if progress:
            progress(done + len(halves), total + len(halves))

    failed = _begun(list(halves.values()), executor, say, lambda done: ahead(done - len(halves), len(trials)))
    ready = [trial for trial in trials if trial.beginning.folder not in failed]
    results, others = carry_out(ready, perform_pl, executor, say, _line, ahead)
    if results:
        head = head_of(benchmark.command, benchmark.design, benchmark.folders, benchmark.config, len(trials), notes)
        write_summary(benchmark.out, SUBJECT, ways, results, head)
    return [*failed.values(), *others]


def _begun(
    halves: Sequence[Half], executor: Executor, say: Say, told: Callable[[int], None]
) -> dict[Path, tuple[str, str]]:
    """Train the first halves; gives the folders of those that failed, with a name and why."""
    failed: dict[Path, tuple[str, str]] = {}
    for place, (half, answer) in enumerate(executor.run(begin, halves)):
        if isinstance(answer, Failed):
            failed[half.folder] = (f"first half {half.folder.parent.name} with seed {half.seed}", answer.why)
            say(f"{failed[half.folder][0]}: failed: {answer.why}")
        told(place + 1)
    return failed


def _line(result: Result) -> str:
    figures, seconds = result["figures"], result["seconds"]
    shown = ", ".join(f"{name} {figures[name]:.3f}" for name in ("BEV AP at 0.5", "BEV AP at 0.7", "3D AP at 0.5"))
    return f"{result['arm']}, seed {result['seed']}: {shown} ({sum(seconds[k] for k in ('training', 'scoring')):.0f} s)"
