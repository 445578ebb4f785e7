"""How many boxes there are to learn from, and why others are none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from densegt.detection.bev.grid import BevGrid
from densegt.detection.data.depth_dataset import DepthDataset
from densegt.errors import InputError
from densegt.geometry import se3


class LabelCounts:
    """Boxes of data sets by what becomes of them.

    Args:
        grid: boxes with their middle beyond it are not looked for.
        classes: that are looked for.
    """

    def __init__(self, datasets: Iterable[DepthDataset], grid: BevGrid, classes: Sequence[str]) -> None:
        self._classes, self.learned = classes, 0
        self.unknown: Counter[str] = Counter()
        self.other_class = self.few_points = self.out_of_range = 0
        for dataset in datasets:
            self._add(dataset, grid)

    @property
    def total(self) -> int:
        """All boxes."""
        return self.learned + self.unknown.total() + self.other_class + self.few_points + self.out_of_range

    def __str__(self) -> str:
        """How many of how many boxes, and the reasons of the rest."""
        reasons = {
            f"in no known category ({_some(self.unknown)})": self.unknown.total(),
            "of another class": self.other_class,
            "with too few points": self.few_points,
            "out of range": self.out_of_range,
        }
        rest = ", ".join(f"{count} {reason}" for reason, count in reasons.items() if count)
        return f"{self.learned} of {self.total} boxes to find" + (f" ({rest})" if rest else "")

    def require_some(self) -> None:
        """Refuse to train on nothing.

        Raises:
            InputError: there is no box to learn from; says why, and what would mend it.
        """
        if self.learned:
            return
        mend = []
        if self.unknown:
            example = f"categories: {{{next(iter(self.unknown))}: car}}"
            mend.append(f"map categories in the configuration ({example}) to {', '.join(self._classes)}")
        if self.few_points:
            mend.append("min_points: 0 keeps boxes whose points were counted as none")
        found = str(self) if self.total else "the recordings have none that is read (see docs/formats.md)"
        raise InputError("; ".join([f"no box to learn from: {found}", *mend]))

    def _add(self, dataset: DepthDataset, grid: BevGrid) -> None:
        for keyframe in dataset.keyframes:
            boxes = keyframe.boxes
            centres = boxes.T_global_box[:, :3, 3]
            x, y, _ = se3.apply(se3.inverse(keyframe.T_global_ego), centres.reshape(-1, 3)).T
            near = (x >= grid.x_min_m) & (x < grid.x_max_m) & (y >= grid.y_min_m) & (y < grid.y_max_m)
            seen = (boxes.points < 0) | (boxes.points >= dataset.options.labels.min_points)
            known = np.array([name is not None for name in boxes.classes], dtype=np.bool_)
            wanted = np.array([name in self._classes for name in boxes.classes], dtype=np.bool_)
            self.unknown.update(c for c, there in zip(boxes.categories, known, strict=True) if not there)
            self.other_class += int((known & ~wanted).sum())
            self.few_points += int((wanted & ~seen).sum())
            self.out_of_range += int((wanted & seen & ~near).sum())
            self.learned += int((wanted & seen & near).sum())


def _some(counts: Counter[str], most: int = 5) -> str:
    named = [name for name, _ in counts.most_common(most)]
    return ", ".join(named) + (f" and {len(counts) - most} more" if len(counts) > most else "")
