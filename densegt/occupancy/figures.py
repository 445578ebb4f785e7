"""Scores of voxels against exact ones, summed over keyframes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from densegt.depth.kind import Kind
from densegt.occupancy.classes import FIRST_FIXED, NAMES
from densegt.occupancy.exact import ExactVoxels
from densegt.occupancy.grid import VoxelGrid
from densegt.occupancy.voxels import State

Bool = NDArray[np.bool_]

# Surface in an occupied voxel in faces of a voxel, at least; what holds less is clipped at a corner and counts neither
# as occupied nor as free.
CLIPPED = 0.1
RANGES_M = (0, 10, 20, 30, 40, 60)
# Errors of a ray's depth, m, within which a ray is right; RayIoU is the mean.
RAY_M = (1.0, 2.0, 4.0)
# A velocity that is so far off, m/s, or so large where nothing moves, is wrong.
FLOW_MPS = 0.5


@dataclass
class OccupancyScores:
    """Counts of voxels, and of rays.

    Attributes:
        tally: by name.
    """

    tally: dict[str, float] = field(default_factory=dict)

    def update(self, state: NDArray[np.uint8], moves: Bool, exact: ExactVoxels, wake: Bool, among: Bool) -> None:
        """Count one keyframe.

        Args:
            state: (X,Y,Z) codes of `State`; moves: (X,Y,Z), occupied by something said to move.
            wake: (X,Y,Z), where a mover was or will be, and nothing is now.
            among: (X,Y,Z), voxels that count.
        """
        there, empty = exact.area >= CLIPPED, exact.area == 0
        occupied, free = state == State.OCCUPIED, state == State.FREE
        clear = among & (there | empty)
        self._add("voxels", np.ones_like(among), known=occupied | free)
        self._add("solid", clear, both=occupied & there, either=occupied | there)
        self._add("air", clear, both=free & empty, either=free | empty)
        self._add("occupied", among & occupied, right=~empty)
        self._add("free", among & free, right=~there)
        for kind in Kind:
            self._add(_of_kind(kind), clear & there & (exact.kind == kind), right=occupied)
        self._add("mover", clear & there & exact.moves, right=occupied)
        self._add("said_mover", among & occupied & moves, right=~empty)
        self._add("wake", among & wake, occupied=occupied)
        self._add("trail", among & wake & ~binary_dilation(~empty, np.ones((3, 3, 3))), occupied=occupied)

    def update_classes(self, code: NDArray[np.uint8], exact: ExactVoxels, among: Bool) -> None:
        """Count one keyframe's classes (X,Y,Z), 0 = unknown or empty, where surface is of a known class or none."""
        true = np.where(exact.area >= CLIPPED, exact.code, 0)
        clear = among & ((true > 0) | (exact.area == 0))
        for number, name in enumerate(NAMES[1:], start=1):
            said, is_it = code == number, true == number
            self._add(f"class.{name}", clear & (said | is_it), both=said & is_it, true=is_it)

    def update_flow(self, flow_mps: NDArray[np.float32], occupied: Bool, exact: ExactVoxels, among: Bool) -> None:
        """Count one keyframe's velocities (X,Y,Z,3) of what is occupied, and truly is."""
        both = among & occupied & (exact.area >= CLIPPED)
        moving, standing = both & exact.moves, both & ~exact.moves
        wrong_mps = np.linalg.norm(flow_mps[moving] - exact.flow_mps[moving], axis=-1)
        self._count("flow.all", len(wrong_mps))
        self._count("flow.sum", float(wrong_mps.sum(dtype=np.float64)))
        self._count("flow.right", int((wrong_mps < FLOW_MPS).sum()))
        self._add("still", standing, flows=np.linalg.norm(flow_mps, axis=-1) >= FLOW_MPS)

    def update_ranges(self, state: NDArray[np.uint8], exact: ExactVoxels, among: Bool, grid: VoxelGrid) -> None:
        """Count one keyframe by horizontal distance from the middle of the grid's frame."""
        range_m = np.linalg.norm(grid.centres_m[..., :2], axis=-1)
        there, occupied, free = exact.area >= CLIPPED, state == State.OCCUPIED, state == State.FREE
        clear = among & (there | (exact.area == 0))
        for low, high in pairwise(RANGES_M):
            within = clear & (range_m >= low) & (range_m < high)
            self._add(f"range.{low}", within, both=occupied & there, either=occupied | there)
            self._add(f"free.{low}", within & free, right=~there)

    def update_rays(self, met_m: NDArray[np.float64], exact_m: NDArray[np.float64]) -> None:
        """Count rays (N,) that end at some length, inf = nowhere, and where they end exactly."""
        for limit in RAY_M:
            with np.errstate(invalid="ignore"):
                right = np.abs(met_m - exact_m) < limit
            either = np.isfinite(met_m) | np.isfinite(exact_m)
            self._count(f"rays.{limit:g}.both", int((right & either).sum()))
            # A ray that ends at both, but apart, is wrong twice: as in other IoUs.
            apart = np.isfinite(met_m) & np.isfinite(exact_m) & ~right
            self._count(f"rays.{limit:g}.either", int(either.sum() + apart.sum()))

    def update_mask(self, name: str, seen: Bool, exact: Bool) -> None:
        """Count voxels (X,Y,Z) seen by cameras: `mask` beside exact voxels' own, `mask_by_depth` beside pixels'."""
        self._add(name, np.ones_like(seen), agree=seen == exact)
        self._add(f"{name}_seen", seen | exact, agree=seen & exact)

    def _add(self, name: str, among: Bool, **parts: Bool) -> None:
        self._count(f"{name}.all", int(among.sum()))
        for part, which in parts.items():
            self._count(f"{name}.{part}", int((among & which).sum()))

    def _count(self, name: str, value: float) -> None:
        self.tally[name] = self.tally.get(name, 0) + value

    def _share(self, part: str, of: str) -> float | None:
        return 100 * self.tally[part] / self.tally[of] if self.tally.get(of) else None

    def compute(self) -> dict[str, Any]:
        """Percentages; None where there was nothing to count."""
        share = self._share
        rays = [share(f"rays.{limit:g}.both", f"rays.{limit:g}.either") for limit in RAY_M]
        classes = [name for name in NAMES[1:] if self.tally.get(f"class.{name}.true")]
        by_class = {name: share(f"class.{name}.both", f"class.{name}.all") for name in classes}
        things = [value for name, value in by_class.items() if NAMES.index(name) < FIRST_FIXED]
        kinds = [kind for kind in Kind if self.tally.get(f"{_of_kind(kind)}.all")]
        return {
            "observed": share("voxels.known", "voxels.all"),
            "occupied_iou": share("solid.both", "solid.either"),
            "free_iou": share("air.both", "air.either"),
            "occupied_precision": share("occupied.right", "occupied.all"),
            "free_precision": share("free.right", "free.all"),
            "mover_recall": share("mover.right", "mover.all"),
            "mover_precision": share("said_mover.right", "said_mover.all"),
            "wake_occupied": share("wake.occupied", "wake.all"),
            "trail_occupied": share("trail.occupied", "trail.all"),
            "recall_by_kind": {
                kind.name.lower(): share(f"{_of_kind(kind)}.right", f"{_of_kind(kind)}.all") for kind in kinds
            },
            "by_range_m": {
                f"{low}-{high}": {
                    "occupied_iou": share(f"range.{low}.both", f"range.{low}.either"),
                    "free_precision": share(f"free.{low}.right", f"free.{low}.all"),
                }
                for low, high in pairwise(RANGES_M)
            },
            "class_iou": by_class,
            "class_miou": _mean(by_class.values()),
            "class_miou_things": _mean(things),
            "flow_error_mps": self.tally["flow.sum"] / self.tally["flow.all"] if self.tally.get("flow.all") else None,
            "flow_right": share("flow.right", "flow.all"),
            "still_with_flow": share("still.flows", "still.all"),
            "ray_iou": None if None in rays else float(np.mean([r for r in rays if r is not None])),
            "mask_agreement": share("mask.agree", "mask.all"),
            "mask_by_depth_agreement": share("mask_by_depth.agree", "mask_by_depth.all"),
            "mask_iou": share("mask_seen.agree", "mask_seen.all"),
        }


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _of_kind(kind: Kind) -> str:
    return f"kind.{kind.name.lower()}"
