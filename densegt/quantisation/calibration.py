"""Which keyframes a detector is calibrated with: of many scenes, and of none that was held out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch.utils.data import default_collate

from densegt.datasets import RecordingPath
from densegt.detection.data.batch import Batch
from densegt.detection.data.split import Split, split
from densegt.detection.fit import TrainingSource
from densegt.detection.predict import validation_dataset
from densegt.detection.prediction import KeyframeDataset
from densegt.detection.task import DetectionTask
from densegt.errors import InputError

ABOUT = "about.json"


@dataclass(frozen=True)
class Place:
    """A keyframe of a dataset."""

    dataset: KeyframeDataset
    index: int

    @property
    def token(self) -> str:
        """Of its sample."""
        return self.dataset.keyframes[self.index].sample_token

    def batch(self) -> Batch:
        """Of one sample, as it is."""
        batch: Batch = default_collate([self.dataset[self.index]])
        return batch


@dataclass(frozen=True)
class Parts:
    """Data sets that may be calibrated with, and those that tell how good the outcome is."""

    learned: tuple[KeyframeDataset, ...]
    held_out: tuple[KeyframeDataset, ...]


def parts_of(task: DetectionTask, checkpoint: Path, recordings: Sequence[RecordingPath]) -> Parts:
    """The scenes of recordings as the training parted them; a recording that it never saw is calibrated with.

    What the training wrote beside its checkpoints says it; without that its rule is applied again.
    """
    about = checkpoint.parent.parent / ABOUT
    if about.is_file():
        parts = _as_recorded(about, recordings)
    else:
        parts = split(list(recordings), task.settings.split, task.settings.validation_share)
    return Parts(
        tuple(_dataset(task, path, part.learned) for path, part in zip(recordings, parts, strict=True) if part.learned),
        tuple(
            _dataset(task, path, part.held_out) for path, part in zip(recordings, parts, strict=True) if part.held_out
        ),
    )


def calibration_places(datasets: Sequence[KeyframeDataset], count: int, seed: int) -> list[Place]:
    """Keyframes spread over all scenes, and far apart within each.

    Raises:
        InputError: there is none.
    """
    by_scene: dict[tuple[int, str], list[Place]] = {}
    for number, dataset in enumerate(datasets):
        for index, keyframe in enumerate(dataset.keyframes):
            by_scene.setdefault((number, keyframe.scene), []).append(Place(dataset, index))
    if not by_scene:
        raise InputError("no keyframe to calibrate with: every scene of these recordings was held out")
    scenes = [by_scene[key] for key in sorted(by_scene)]
    rng = np.random.default_rng(seed)
    order = [scenes[i] for i in rng.permutation(len(scenes))]
    turns = -(-count // len(order))
    chosen = [scene[round(turn * (len(scene) - 1) / max(turns - 1, 1))] for turn in range(turns) for scene in order]
    # Of short scenes the same would be taken twice.
    unique = {(id(place.dataset), place.index): place for place in chosen}
    return list(unique.values())[:count]


def _dataset(task: DetectionTask, path: RecordingPath, scenes: tuple[str, ...]) -> KeyframeDataset:
    return validation_dataset(task, TrainingSource(path), scenes=scenes)


def _as_recorded(about: Path, recordings: Sequence[RecordingPath]) -> list[Split]:
    """By the recordings' folders' names; where several have one name, by their order too if all are given."""
    try:
        entries = [(entry["dataroot"], frozenset(entry["held_out"])) for entry in json.loads(about.read_text())["data"]]
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"{about}: cannot be read; it says which scenes were held out") from None
    known = [(path.root.name, path.root.resolve().name) for path in recordings]
    if len(entries) == len(known) and all(name in names for (name, _), names in zip(entries, known, strict=True)):
        held_out = [scenes for _, scenes in entries]
    else:
        held_out = [frozenset().union(*(s for name, s in entries if name in names)) for names in known]
    found = []
    for path, out in zip(recordings, held_out, strict=True):
        names = tuple(path.open().scene_names)
        found.append(Split(tuple(n for n in names if n not in out), tuple(n for n in names if n in out)))
    return found
