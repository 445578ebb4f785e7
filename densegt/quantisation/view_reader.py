"""From a keyframe's images to what the engine of a Lift-Splat reads, and from its answer to boxes, without torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.keyframes import Keyframe
from densegt.detection.bev.grid import NO_CELL, BevGrid
from densegt.detection.data.augment import ImageRanges, image_affine
from densegt.detection.data.cached_files import cached_files
from densegt.detection.data.warp import warp_image
from densegt.detection.prediction import MIN_SCORE
from densegt.detection.scoring.nuscenes_results import Detections
from densegt.geometry import se3
from densegt.quantisation.centre_answer import boxes_of, likeliest, peaks, probability
from densegt.quantisation.engine import Arrays

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]


class View(NamedTuple):
    """What one camera sees: image (H,W,3) of the network's size, K (3,3) of it, T_ref_cam (4,4)."""

    image: NDArray[np.uint8]
    K: Float64
    T_ref_cam: Float64


class ViewReader:
    """Lift-Splat's input and answer.

    Args:
        facts: the `reader` of an engine's facts.
    """

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self.facts, self.grid = facts, BevGrid(**facts["grid"])
        self._depths_m = np.array(facts["depths_m"])
        self._mean, self._std = (np.array(facts[name], np.float32).reshape(3, 1, 1) for name in ("mean", "std"))
        self._ranges = ImageRanges(**{name: _pair(value) for name, value in facts["image"].items()})

    def views(self, keyframe: Keyframe) -> list[View]:
        """Of all cameras."""
        size, read = tuple(self.facts["size"]), cached_files(0).image
        T_ref_global = se3.inverse(keyframe.T_global_ego)
        found = []
        for camera in keyframe.cameras:
            image = read(camera.image_path, camera.distortion, camera.height_px, camera.width_px)
            A = image_affine((camera.height_px, camera.width_px), size, self._ranges, None)
            found.append(View(warp_image(image, A, size), A @ camera.K, T_ref_global @ camera.T_global_cam))
        return found

    def inputs(self, views: Sequence[View]) -> Arrays:
        """`images` (V,3,H,W) as the network wants them; `cells` (V,D,h,w) int64 in which each sample lies."""
        images = np.stack([np.moveaxis(view.image, -1, 0) for view in views]).astype(np.float32) / np.float32(255)
        return {"images": (images - self._mean) / self._std, "cells": np.stack([self._cells(view) for view in views])}

    def found(self, outputs: Arrays, sample_token: str, T_global_ref: Float64) -> Detections:
        """Boxes of the likeliest peaks."""
        scores = probability(outputs["heat"][0])
        order = likeliest(peaks(scores), self.facts["max_boxes"], MIN_SCORE)
        return boxes_of(order, scores, outputs, self.facts, self.grid).detections(sample_token, T_global_ref)

    def _cells(self, view: View) -> Int64:
        stride, (height, width) = self.facts["stride"], self.facts["size"]
        # The very operations, in their order, of `frustum.rays_ref`.
        u, v = (np.arange(side // stride) * float(stride) + (stride - 1) / 2 for side in (width, height))
        to_ref = view.T_ref_cam[:3, :3] @ np.linalg.inv(view.K)
        rays = to_ref[:, 0, None, None] * u + to_ref[:, 1, None, None] * v[:, None] + to_ref[:, 2, None, None]
        depths_m, origin = self._depths_m[:, None, None], view.T_ref_cam[:3, 3]
        x, y, z = (ray * depths_m + at for ray, at in zip(rays, origin, strict=True))
        return cells(self.grid, x, y, z)


def cells(grid: BevGrid, x_m: Float64, y_m: Float64, z_m: Float64) -> Int64:
    """Row times X plus column, NO_CELL outside; as `BevGrid.cell`, of arrays."""
    rows, columns = grid.shape
    row, column = _number(y_m, grid.y_min_m, grid.cell_m), _number(x_m, grid.x_min_m, grid.cell_m)
    inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
    inside &= (z_m >= grid.z_min_m) & (z_m < grid.z_max_m)
    return np.where(inside, row * columns + column, NO_CELL).astype(np.int64)


def _number(at_m: Float64, min_m: float, cell_m: float) -> Float64:
    """Exact next to an edge, where the division is not."""
    number = np.floor((at_m - min_m) / cell_m)
    number = number - (at_m < min_m + number * cell_m)
    added: Float64 = number + (at_m >= min_m + (number + 1) * cell_m)
    return added


def _pair(value: Any) -> Any:
    """JSON has lists for pairs."""
    return tuple(value) if isinstance(value, list) else value
