"""The whole matrix: every arm with every seed, at the same time as the executor allows, and what it says."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import densegt
from densegt.depth.depth_map import Source
from densegt.depth.store import SceneReader, scene_files
from densegt.detection.benchmark.arms import FACTORS, SUPERVISIONS, Arm, Design, arms
from densegt.detection.benchmark.summary import by_arm, comparisons, sentences, table
from densegt.detection.benchmark.trial import Trial, finished, perform
from densegt.detection.dataset import Supervision
from densegt.detection.train import Sources
from densegt.detection.train_config import LssConfig
from densegt.execute import Executor, Failed

Say = Callable[[str], None]
Progress = Callable[[int, int], None]
SUMMARY = "benchmark.json"


@dataclass(frozen=True)
class Benchmark:
    """What to compare, on what.

    Attributes:
        seeds: how many, from the configuration's on.
    """

    folders: tuple[Sources, ...]
    out: Path
    config: LssConfig
    seeds: int = 3
    design: Design = "axes"
    command: str = ""


def run(benchmark: Benchmark, executor: Executor, say: Say, progress: Progress | None = None) -> list[tuple[str, str]]:
    """Do what is not done yet, and write `benchmark.json`.

    Returns:
        Trials that failed, and why.

    Raises:
        InputError: what is in `out` is of another configuration, or the data cannot be read.
    """
    ways, notes = arms(benchmark.design, possible(benchmark.folders)), _notes(benchmark.folders)
    first = benchmark.config.seed
    trials = [
        Trial(arm, seed, benchmark.folders, benchmark.out, benchmark.config)
        for seed in range(first, first + benchmark.seeds)
        for arm in ways
    ]
    results = [result for trial in trials if (result := finished(trial)) is not None]
    rest = [trial for trial in trials if finished(trial) is None]
    for note in notes:
        say(note)
    if results:
        say(f"{len(results)} of {len(trials)} trainings are finished already")
    failed: list[tuple[str, str]] = []
    for trial, answer in executor.run(perform, rest):
        if isinstance(answer, Failed):
            failed.append((f"{trial.arm.name} with seed {trial.seed}", answer.why))
            say(f"{failed[-1][0]}: failed: {answer.why}")
        else:
            results.append(answer)
            say(_line(answer))
        if progress:
            progress(len(results) + len(failed), len(trials))
    if results:
        _write(benchmark, ways, results, notes)
    return failed


def possible(folders: Sequence[Sources]) -> tuple[Supervision, ...]:
    """Supervisions that there is depth for."""
    if any(sources.depth is None for sources in folders):
        return SUPERVISIONS[:2]
    return (
        SUPERVISIONS if all(_has_completed(sources.depth) for sources in folders if sources.depth) else SUPERVISIONS[:3]
    )


def _has_completed(depth: Path) -> bool:
    """In the first image of a scene, as in all others."""
    return any((next(iter(SceneReader(path))).source == Source.COMPLETED).any() for path in scene_files(depth))


def _notes(folders: Sequence[Sources]) -> list[str]:
    missing = [level for level in SUPERVISIONS if level not in possible(folders)]
    why = {"dense": "no depth store was named", "completed": "a depth store holds no completed pixel"}
    return [f"{level} supervision is left out: {why[level]}" for level in missing]


def _line(result: dict[str, Any]) -> str:
    figures, seconds = result["figures"], result["seconds"]
    shown = ", ".join(f"{name} {figures[name]:.3f}" for name in ("vehicle IoU", "mAP", "depth MAE m"))
    return f"{result['arm']}, seed {result['seed']}: {shown} ({sum(seconds[k] for k in ('training', 'scoring')):.0f} s)"


def _write(benchmark: Benchmark, ways: Sequence[Arm], results: Sequence[dict[str, Any]], notes: Sequence[str]) -> None:
    """Everything that a page tells, in one file."""
    ordered = sorted(results, key=lambda result: ([arm.name for arm in ways].index(result["arm"]), result["seed"]))
    found = by_arm(ordered, ways)
    compared = comparisons(found)
    summary = {
        "densegt_version": densegt.__version__,
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "command": benchmark.command,
        "design": benchmark.design,
        "seeds": sorted({result["seed"] for result in results}),
        "trainings_wanted": len(ways) * benchmark.seeds,
        "notes": list(notes),
        "sentences": sentences(found, compared),
        "table": table(found),
        "fixed": ordered[0]["fixed"],
        "factors": {arm.name: {factor: arm.level(factor) for factor in FACTORS} for arm in found},
        "comparisons": [{**asdict(c), "first": c.first.name, "second": c.second.name} for c in compared],
        "trials": [{key: value for key, value in result.items() if key != "facts"} for result in ordered],
        "data": [{"dataroot": s.dataroot.name, "depth": s.depth.name if s.depth else None} for s in benchmark.folders],
        "config": json.loads(benchmark.config.model_dump_json()),
    }
    benchmark.out.mkdir(parents=True, exist_ok=True)
    (benchmark.out / SUMMARY).write_text(json.dumps(summary, indent=1) + "\n")
