"""How many objects there are to learn from, and by what."""

from __future__ import annotations

from collections.abc import Sequence

from densegt.detection.mono.evidence import POINTS
from densegt.detection.mono.keyframe_objects import KeyframeObjects
from densegt.errors import InputError


class ObjectCounts:
    """Objects of data sets.

    Args:
        supervision: see `MonoConfig`.
    """

    def __init__(self, datasets: Sequence[KeyframeObjects], supervision: str) -> None:
        parts = [dataset.objects() for dataset in datasets]
        self._told_by = ", ".join(dict.fromkeys(dataset.told_by for dataset in datasets))
        self._supervision = supervision
        self.total = sum(len(part["kind"]) for part in parts)
        self.measured = sum(int((part["point_weight"] > 0).any(1).sum()) for part in parts)
        self.points = sum(int((part["point_weight"] > 0).sum()) for part in parts)
        self.labelled = sum(int((part["box_weight"] > 0).sum()) for part in parts)

    def __str__(self) -> str:
        """How many, and what is known of them."""
        line = f"{self.total} objects ({self._told_by})"
        if self._supervision == "exact":
            return f"{line}, {self.labelled} with a 3D label"
        mean = self.points / max(self.total, 1)
        line = f"{line}, {self.measured} with depth, {mean:.0f} points each of at most {POINTS}"
        return f"{line}, {self.labelled} with a box" if self._supervision == "autolabel" else line

    def require_some(self) -> None:
        """Refuse to train on nothing.

        Raises:
            InputError: there is no object to learn from, or nothing is known of any.
        """
        if not self.total:
            raise InputError(f"no object to learn from: none of the classes in {self._told_by}")
        if self._supervision == "exact" and not self.labelled:
            raise InputError("supervision exact: no object has a 3D label")
        if self._supervision != "exact" and not self.measured:
            raise InputError(f"supervision {self._supervision}: no object has depth on it")
