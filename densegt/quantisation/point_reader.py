"""From points to what an engine reads, and from its answer to boxes, without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter

from densegt.detection.bev.grid import BevGrid
from densegt.detection.prediction import MIN_SCORE
from densegt.detection.scoring.nuscenes_results import Detections
from densegt.detection.scoring.rotated_iou import nms
from densegt.kernels.occupancy_voxels import VoxelSpan, count_voxels, number_voxels, soft_voxels
from densegt.quantisation.engine import Arrays

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Places = NDArray[np.int64]
# Of the logarithm of a size in m: what is beyond is no answer of a network in its right mind.
SIZE_LIMITS = -3.0, 4.0


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
        scores = _probability(outputs["heat"][0])
        order = _likeliest(scores, self.facts["max_cells"], self.facts["min_score"])
        return _boxes(order, scores, outputs, self.facts, self.grid).detections(sample_token, T_global_ref)


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
        scores = _probability(outputs["heat"][0])
        peaks = np.where(scores == maximum_filter(scores, (1, 3, 3), mode="constant"), scores, np.float32(0))
        order = _likeliest(peaks, self.facts["max_boxes"], MIN_SCORE)
        return _boxes(order, scores, outputs, self.facts, self.grid).detections(sample_token, T_global_ref)

    def _span(self) -> VoxelSpan:
        g = self._pillars
        corner, end = (g.z_min_m, g.y_min_m, g.x_min_m), (g.z_max_m, g.y_max_m, g.x_max_m)
        sides = (g.z_max_m - g.z_min_m, g.cell_m, g.cell_m)
        return VoxelSpan(*(np.array(v, np.float32) for v in (corner, sides, end)))


Reader = VoxelReader | PillarReader


def reader_of(facts: Mapping[str, Any]) -> Reader:
    """The reader that an engine's facts name."""
    return VoxelReader(facts) if facts["kind"] == "voxels" else PillarReader(facts)


class _Boxes(NamedTuple):
    boxes: Float32
    labels: Places
    attributes: Places
    scores: Float32

    def detections(self, sample_token: str, T_global_ref: Float64) -> Detections:
        return Detections(
            sample_token, self.boxes.astype(np.float64), self.labels, self.attributes, self.scores.astype(np.float64),
            T_global_ref,
        )  # fmt: skip


def _boxes(order: Places, scores: Float32, outputs: Arrays, facts: Mapping[str, Any], grid: BevGrid) -> _Boxes:
    """Of places in the heat, best first, without those that a better one of their class overlaps."""
    boxes, labels, cells = decode(order, outputs["values"][0], grid)
    sure = scores.ravel()[order]
    kept = _suppressed(boxes, labels, sure, facts["min_overlap"], facts["max_boxes"])
    attributes = outputs["attributes"][0].reshape(outputs["attributes"].shape[1], -1).argmax(0)
    return _Boxes(boxes[kept], labels[kept], attributes[cells[kept]], sure[kept])


def _likeliest(scores: Float32, most: int, least: float) -> Places:
    """Places of the best scores, flattened, best first."""
    order: Places = np.argsort(-scores, axis=None, kind="stable")[:most]
    return order[scores.ravel()[order] >= least]


def decode(order: Places, values: Float32, grid: BevGrid) -> tuple[Float32, Places, Places]:
    """Boxes (K,9), classes and cells of places in the heat (classes,Y,X), of values (10,Y,X)."""
    labels, cells = np.divmod(order, grid.cells)
    said = values.reshape(len(values), -1)[:, cells]
    row, column = np.divmod(cells, grid.shape[1])
    half = np.float32(0.5)
    x = grid.x_min_m + (column.astype(np.float32) + half + said[0]) * np.float32(grid.cell_m)
    y = grid.y_min_m + (row.astype(np.float32) + half + said[1]) * np.float32(grid.cell_m)
    size = np.exp(np.clip(said[3:6], *SIZE_LIMITS))
    yaw = np.arctan2(said[6], said[7])
    boxes = np.stack([x, y, said[2], *size, yaw, said[8], said[9]], 1).astype(np.float32)
    return boxes, labels, cells


def _probability(logits: Float32) -> Float32:
    with np.errstate(over="ignore"):
        return np.asarray(1 / (1 + np.exp(-logits)), np.float32)


def _suppressed(boxes: Float32, labels: Places, scores: Float32, iou: float, most: int) -> NDArray[np.intp]:
    """Which boxes stay, best first."""
    kept = np.zeros(len(scores), np.bool_)
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        kept[own[nms(boxes[own], scores[own], iou=iou, most=most)]] = True
    # They come best first, and stay so.
    return np.flatnonzero(kept)[:most]
