"""What an experiment compares, on what."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from densegt.depth.depth_map import Source
from densegt.depth.store import SceneReader, scene_files
from densegt.detection.data.batch import Supervision
from densegt.detection.fit import TrainingSource
from densegt.detection.train_config import DetectorConfig

Design = Literal["axes", "full"]
SUPERVISIONS: tuple[Supervision, ...] = get_args(Supervision)


@dataclass(frozen=True)
class ExperimentConfig:
    """What to compare, on what.

    Attributes:
        config: that of all trainings, but for variant and seed.
        seeds: how many, from the configuration's on.
        design: `axes` varies one thing at a time, `full` takes every combination.
        detectors: to compare, where there are several.
    """

    sources: tuple[TrainingSource, ...]
    out: Path
    config: DetectorConfig
    seeds: int = 3
    design: Design = "axes"
    detectors: tuple[str, ...] = ()
    command: str = ""

    @property
    def seed_range(self) -> range:
        """The seeds."""
        return range(self.config.seed, self.config.seed + self.seeds)

    @property
    def notes(self) -> list[str]:
        """What is not compared, and why."""
        missing = [level for level in SUPERVISIONS if level not in possible_supervisions(self.sources)]
        why = {"dense": "no depth store was named", "completed": "a depth store holds no completed pixel"}
        return [f"{level} supervision is left out: {why[level]}" for level in missing]

    def summary_head(self, trainings: int) -> dict[str, Any]:
        """What a summary begins with, of so many trainings wanted."""
        data = [
            {"dataroot": source.recording.root.name, "depth": source.depth.name if source.depth else None}
            for source in self.sources
        ]
        return {
            "command": self.command,
            "design": self.design,
            "trainings_wanted": trainings,
            "notes": self.notes,
            "data": data,
            "config": json.loads(self.config.model_dump_json()),
        }


def possible_supervisions(sources: Sequence[TrainingSource]) -> tuple[Supervision, ...]:
    """Supervisions that there is depth for."""
    stores = [source.depth for source in sources if source.depth is not None]
    if len(stores) < len(sources):
        return SUPERVISIONS[:2]
    return SUPERVISIONS if all(map(_has_completed, stores)) else SUPERVISIONS[:3]


def _has_completed(depth: Path) -> bool:
    """In the first image of a scene, as in all others."""
    return any((next(iter(SceneReader(path))).source == Source.COMPLETED).any() for path in scene_files(depth))
