"""How far 3D boxes of objects are off, each beside its own label: what AP mixes with finding them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.detection.scoring.rotated_iou import bev_iou, iou_3d

Float64 = NDArray[np.float64]
RANGES_M = ((0.0, 15.0), (15.0, 30.0), (30.0, 50.0), (50.0, np.inf))
OVERLAPS = (0.3, 0.5, 0.7)


class ObjectErrors:
    """Sums over objects that have a label."""

    def __init__(self) -> None:
        self._rows: list[Float64] = []

    def update(self, said: Float64, true: Float64, moving: Float64, cut: NDArray[np.bool_]) -> None:
        """Add boxes (N,7) x, y, z, l, w, h in m, yaw in rad, in views; NaN in `true` is no label.

        Args:
            moving: (N,) 1, 0 or NaN; cut: (N,) whether an edge of the image cuts the object.
        """
        known = np.isfinite(true).all(axis=1)
        said, true = said[known], true[known]
        if not len(said):
            return
        turn = np.abs((said[:, 6] - true[:, 6] + np.pi) % (2 * np.pi) - np.pi)
        self._rows.append(
            np.column_stack([
                np.diagonal(bev_iou(said, true)), np.diagonal(iou_3d(said, true)),
                np.hypot(*(said - true)[:, :2].T), turn, said[:, 3:6] - true[:, 3:6],
                np.hypot(*true[:, :2].T), moving[known], cut[known],
            ])
        )  # fmt: skip

    def compute(self) -> dict[str, dict[str, float]]:
        """By group: count, shares of overlap above thresholds, medians of errors, share that is turned about."""
        rows = np.concatenate([np.zeros((0, 10)), *self._rows])
        range_m, moving, cut = rows[:, 7], rows[:, 8], rows[:, 9] == 1
        groups = {
            "all": np.ones(len(rows), np.bool_), "whole": ~cut, "moving": moving == 1, "standing": moving == 0,
        }  # fmt: skip
        for low, high in RANGES_M:
            name = f"{low:g} to {high:g} m" if np.isfinite(high) else f"beyond {low:g} m"
            groups[name] = (range_m >= low) & (range_m < high)
        return {name: _figures(rows[chosen]) for name, chosen in groups.items()}


def _figures(rows: Float64) -> dict[str, float]:
    bev, overlap_3d, centre_m, turn = rows[:, :4].T
    mod_180 = np.minimum(turn, np.pi - turn)
    figures = {"objects": float(len(rows))}
    for threshold in OVERLAPS:
        figures[f"BEV > {threshold}"] = _of(np.mean, bev > threshold)
        figures[f"3D > {threshold}"] = _of(np.mean, overlap_3d > threshold)
    return figures | {
        "BEV IoU": _of(np.mean, bev), "centre m": _of(np.median, centre_m), "centre mean m": _of(np.mean, centre_m),
        "centre p90 m": _of(lambda x: np.quantile(x, 0.9), centre_m),
        "centre of range": _of(np.median, centre_m / np.maximum(rows[:, 7], 1.0)),
        "yaw deg": _of(np.median, np.rad2deg(mod_180)), "flips": _of(np.mean, turn > np.pi / 2),
        **{f"{name} m": _of(np.mean, np.abs(rows[:, k])) for k, name in ((4, "length"), (5, "width"), (6, "height"))},
    }  # fmt: skip


def _of(how: Callable[[Any], Any], values: NDArray[Any]) -> float:
    return float(how(values)) if len(values) else float("nan")
