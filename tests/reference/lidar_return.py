"""Slow twins of densegt.kernels.lidar_return."""

from __future__ import annotations

from densegt.kernels.raycast import GROUND_PART, NO_PART
from densegt.kernels.raycast_ground import ground_material
from densegt.kernels.raycast_shapes import WINDOW, pane_is_glass


def reflectivities(hits, surfaces, param, by_material, blind, road, out):
    for i, (part, shape) in enumerate(zip(hits.part, hits.shape, strict=True)):
        if part == NO_PART:
            out[i] = 0
        elif part == GROUND_PART:
            out[i] = by_material[ground_material(*hits.local[i, :2], road)]
        elif hits.detail[i] == WINDOW:
            out[i] = 0 if pane_is_glass(hits.local[i], param[shape], shape) else blind
        else:
            out[i] = by_material[surfaces.material[shape]] * surfaces.reflectance[shape]
