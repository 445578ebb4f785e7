"""The whole matrix: every arm with every seed, at the same time as the executor allows, and what it says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from densegt.batch.executor import Executor
from densegt.depth.depth_map import Source
from densegt.depth.store import SceneReader, scene_files
from densegt.detection.data.dataset import Supervision
from densegt.detection.train import Sources
from densegt.detection.train_config import LssConfig
from densegt.experiments.figures import ASKED, FIGURES
from densegt.experiments.lss_trial import Trial, perform
from densegt.experiments.lss_variants import SUPERVISIONS, Design, lss_variants
from densegt.experiments.matrix import SUMMARY as SUMMARY
from densegt.experiments.matrix import Progress, Say, Subject, carry_out, write_summary

SUBJECT = Subject(
    title="What depth, bins and samples are worth to a Lift-Splat detector",
    figures=FIGURES,
    asked=ASKED,
    plotted=("vehicle IoU", "mAP", "NDS", "vehicles' AP at 2 m", "depth MAE m", "depth MAE m near edges"),
    by_range=tuple(f"depth MAE m, {name}" for name in ("0 to 15 m", "15 to 35 m", "35 to 60 m")),
    curves=("vehicle IoU", "depth MAE m"),
)


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
    ways, notes = lss_variants(benchmark.design, possible(benchmark.folders)), notes_of(benchmark.folders)
    first = benchmark.config.seed
    trials = [
        Trial(arm, seed, benchmark.folders, benchmark.out, benchmark.config)
        for seed in range(first, first + benchmark.seeds)
        for arm in ways
    ]
    for note in notes:
        say(note)
    results, failed = carry_out(trials, perform, executor, say, _line, progress)
    if results:
        head = head_of(benchmark.command, benchmark.design, benchmark.folders, benchmark.config, len(trials), notes)
        write_summary(benchmark.out, SUBJECT, ways, results, head)
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


def notes_of(folders: Sequence[Sources]) -> list[str]:
    """What is not compared, and why."""
    missing = [level for level in SUPERVISIONS if level not in possible(folders)]
    why = {"dense": "no depth store was named", "completed": "a depth store holds no completed pixel"}
    return [f"{level} supervision is left out: {why[level]}" for level in missing]


def _line(result: dict[str, Any]) -> str:
    figures, seconds = result["figures"], result["seconds"]
    shown = ", ".join(f"{name} {figures[name]:.3f}" for name in ("vehicle IoU", "mAP", "depth MAE m"))
    return f"{result['arm']}, seed {result['seed']}: {shown} ({sum(seconds[k] for k in ('training', 'scoring')):.0f} s)"


def head_of(
    command: str, design: Design, folders: Sequence[Sources], config: BaseModel, wanted: int, notes: Sequence[str]
) -> dict[str, Any]:
    """What a summary begins with, of so many trainings wanted."""
    data = [{"dataroot": s.dataroot.name, "depth": s.depth.name if s.depth else None} for s in folders]
    return {
        "command": command,
        "design": design,
        "trainings_wanted": wanted,
        "notes": list(notes),
        "data": data,
        "config": json.loads(config.model_dump_json()),
    }
