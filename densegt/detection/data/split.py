"""Which scenes are learned from, and which are held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from densegt.datasets import open_recording
from densegt.errors import InputError


@dataclass(frozen=True)
class Split:
    """A folder's scenes of two kinds."""

    learned: tuple[str, ...]
    held_out: tuple[str, ...]


def split(folders: Sequence[tuple[Path, str | None]], how: Literal["share", "official"], share: float) -> list[Split]:
    """One for each folder (and version of its tables).

    Args:
        how: `share` holds out the last scenes of all folders in a row, `official` nuScenes' own validation scenes.

    Raises:
        InputError: nothing would be learned from, or held out.
    """
    recordings = [open_recording(dataroot, version=version) for dataroot, version in folders]
    names = [tuple(recording.scene_names) for recording in recordings]
    if how == "official":
        parts = [
            _official(scenes, recording.validation_scenes())
            for scenes, recording in zip(names, recordings, strict=True)
        ]
    else:
        row = [(folder, name) for folder, scenes in enumerate(names) for name in scenes]
        count = min(len(row) - 1, max(1, round(share * len(row))))
        last = set(row[len(row) - count :])
        parts = [
            Split(
                tuple(name for name in scenes if (folder, name) not in last),
                tuple(name for name in scenes if (folder, name) in last),
            )
            for folder, scenes in enumerate(names)
        ]
    for what, lists in (("learned from", [p.learned for p in parts]), ("held out", [p.held_out for p in parts])):
        if not any(lists):
            roots = ", ".join(str(dataroot) for dataroot, _ in folders)
            raise InputError(f"{roots}: {sum(map(len, names))} scenes, none of which would be {what}")
    return parts


def _official(scenes: tuple[str, ...], validation: frozenset[str]) -> Split:
    return Split(
        tuple(name for name in scenes if name not in validation), tuple(name for name in scenes if name in validation)
    )
