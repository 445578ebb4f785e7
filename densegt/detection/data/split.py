"""Which scenes are learned from, and which are held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from densegt.datasets import RecordingPath
from densegt.errors import InputError


@dataclass(frozen=True)
class Split:
    """A recording's scenes of two kinds."""

    learned: tuple[str, ...]
    held_out: tuple[str, ...]


def split(paths: Sequence[RecordingPath], how: Literal["share", "official"], share: float) -> list[Split]:
    """One for each recording.

    Args:
        how: `share` holds out the last scenes of all recordings in a row, `official` those that each recording's own
            split does.

    Raises:
        InputError: nothing would be learned from, or held out.
    """
    recordings = [path.open() for path in paths]
    names = [tuple(recording.scene_names) for recording in recordings]
    if how == "official":
        parts = [
            _official(scenes, recording.validation_scenes())
            for scenes, recording in zip(names, recordings, strict=True)
        ]
    else:
        row = [(place, name) for place, scenes in enumerate(names) for name in scenes]
        count = min(len(row) - 1, max(1, round(share * len(row))))
        last = set(row[len(row) - count :])
        parts = [
            Split(
                tuple(name for name in scenes if (place, name) not in last),
                tuple(name for name in scenes if (place, name) in last),
            )
            for place, scenes in enumerate(names)
        ]
    for what, lists in (("learned from", [p.learned for p in parts]), ("held out", [p.held_out for p in parts])):
        if not any(lists):
            roots = ", ".join(str(path.root) for path in paths)
            raise InputError(f"{roots}: {sum(map(len, names))} scenes, none of which would be {what}")
    return parts


def _official(scenes: tuple[str, ...], validation: frozenset[str]) -> Split:
    return Split(
        tuple(name for name in scenes if name not in validation), tuple(name for name in scenes if name in validation)
    )
