"""From points to what an engine reads, and from its answer to boxes, without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.detection.bev.grid import BevGrid
from densegt.detection.prediction import MIN_SCORE
from densegt.detection.scoring.nuscenes_results import Detections
from densegt.kernels.occupancy_voxels import VoxelSpan, count_voxels, number_voxels, soft_voxels
from densegt.quantisation.centre_answer import boxes_of, likeliest, peaks, probability
from densegt.quantisation.engine import Arrays

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]


class VoxelReader:
    """PIXOR's input and answer.

    Args:
        facts: the `reader` of an engine's facts.
    """

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self.facts, self.grid = facts, BevGrid(**facts["grid"])
        g, cell = self.grid, facts["cell_m"]
        sides = ((g.z_max_m - g.z_min_m) / facts["layers"], cell, cell)
        corner, end = (g.z_min_m, g.y_min_m, g.x_min_m), (g.z_max_m, g.y_max_m, g.x_max_m)
        self._span = VoxelSpan(*(np.array(v, np.float32) for v in (corner, sides, end)))
        self._shape = tuple(round((e - c) / s) for e, c, s in zip(end, corner, sides, strict=True))

    def inputs(self, points: Float32) -> Arrays:
        """Voxels (1,Z,Y,X) of points (N,4), m in ref and age in s; NaN is none."""
        xyz_ref = np.ascontiguousarray(points[:, :3])
        numbers = np.empty((len(xyz_ref), 3), np.int32)
        counts, occupancy = np.zeros(self._shape, np.float32), np.zeros(self._shape, np.float32)
        number_voxels(xyz_ref, self._span, numbers)
        count_voxels(numbers, counts)
        if self.facts["soft_m"]:
            soft_voxels(xyz_ref, numbers, counts, self._span, self.facts["soft_m"], occupancy)
        else:
            occupancy = np.minimum(counts, np.float32(1))
        return {"occupancy": occupancy[None]}

    def found(self, outputs: Arrays, sample_token: str, T_global_ref: Float64) -> Detections:
        """Boxes of the likely cells, those left out that stand where a likelier one of their class does."""
        scores = probability(outputs["heat"][0])
        order = likeliest(scores, self.facts["max_cells"], self.facts["min_score"])
        return boxes_of(order, scores, outputs, self.facts, self.grid).detections(sample_token, T_global_ref)


class PillarReader:
    """CenterPoint's input and answer.

    Args:
        facts: the `reader` of an engine's facts.
    """

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self.facts, self.grid = facts, BevGrid(**facts["grid"])
        self._pillars = replace(self.grid, cell_m=facts["pillar_m"])
        self._weight, self._bias = (np.array(facts[name], np.float32) for name in ("weight", "bias"))

    def inputs(self, points: Float32) -> Arrays:
        """Pillars (1,C,Y,X) of points (N,4), m in ref and age in s; NaN is none."""
        (rows, columns), grid = self._pillars.shape, self._pillars
        numbers, span = np.empty((len(points), 3), np.int32), self._span()
        number_voxels(np.ascontiguousarray(points[:, :3]), span, numbers)
        inside = numbers[:, 0] >= 0
        row, column = numbers[inside, 1].astype(np.int64), numbers[inside, 2].astype(np.int64)
        order = np.argsort(row * columns + column, kind="stable")
        row, column, kept = row[order], column[order], points[inside][order]
        laid = np.zeros((rows * columns, len(self._bias)), np.float32)
        if len(kept):
            pillar, first, count = np.unique(row * columns + column, return_index=True, return_counts=True)
            mean = np.add.reduceat(kept[:, :3], first) / count[:, None].astype(np.float32)
            x = (kept[:, 0] - np.float32(grid.x_min_m)) / np.float32(grid.cell_m) - column - np.float32(0.5)
            y = (kept[:, 1] - np.float32(grid.y_min_m)) / np.float32(grid.cell_m) - row - np.float32(0.5)
            away = kept[:, :3] - np.repeat(mean, count, 0)
            told = np.concatenate([np.stack([x, y, kept[:, 2]], 1), away, kept[:, 3:4]], 1).astype(np.float32)
            said = np.maximum(told @ self._weight.T + self._bias, 0)
            laid[pillar] = np.maximum.reduceat(said, first)
        return {"pillars": np.ascontiguousarray(laid.reshape(rows, columns, -1).transpose(2, 0, 1))[None]}

    def found(self, outputs: Arrays, sample_token: str, T_global_ref: Float64) -> Detections:
        """Boxes of the likeliest peaks, those left out that stand where a likelier one of their class does."""
        scores = probability(outputs["heat"][0])
        order = likeliest(peaks(scores), self.facts["max_boxes"], MIN_SCORE)
        return boxes_of(order, scores, outputs, self.facts, self.grid).detections(sample_token, T_global_ref)

    def _span(self) -> VoxelSpan:
        g = self._pillars
        corner, end = (g.z_min_m, g.y_min_m, g.x_min_m), (g.z_max_m, g.y_max_m, g.x_max_m)
        sides = (g.z_max_m - g.z_min_m, g.cell_m, g.cell_m)
        return VoxelSpan(*(np.array(v, np.float32) for v in (corner, sides, end)))
