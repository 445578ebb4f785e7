"""What is asked of the ground plane, cell by cell, given the boxes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from densegt.detection.bev.grid import BevGrid

# CenterPoint's: a heat spot is so wide that boxes off by its radius still overlap by this much.
MIN_OVERLAP = 0.1
# Numbers that are regressed at a box's centre, see `CentreTarget`.
REGRESSED = 10


class CentreTarget(NamedTuple):
    """For B samples and M boxes.

    Attributes:
        heat: (B,classes,Y,X) 1 at centres, falling off around them.
        cell: (B,M) row times X plus column of the centre, 0 where there is no box.
        valid: (B,M) is there a box.
        values: (B,M,10) x and y from the cell's middle in cells, z in m, log of l, w, h in m, sin and cos of yaw, vx,
            vy in m/s; NaN where unknown or no box.
        attributes: (B,M) -1 where there is none.
    """

    heat: Tensor
    cell: Tensor
    valid: Tensor
    values: Tensor
    attributes: Tensor


def segmentation_target(boxes: Tensor, labels: Tensor, classes: Sequence[int], grid: BevGrid) -> Tensor:
    """(B,Y,X) bool: is the cell's middle in the footprint of a box of these classes.

    Args:
        boxes: (B,M,9), labels: (B,M); see `Batch`.
    """
    wanted = torch.isin(labels, torch.tensor(classes, device=labels.device))
    dx, dy = _from_centres(boxes, grid)
    c, s = (f(boxes[..., 6])[..., None, None] for f in (torch.cos, torch.sin))
    along, across = c * dx + s * dy, c * dy - s * dx
    half = boxes[..., 3:5, None, None] / 2
    inside = (along.abs() <= half[:, :, 0]) & (across.abs() <= half[:, :, 1])
    return (inside & wanted[..., None, None]).any(1)


def centre_target(
    boxes: Tensor, labels: Tensor, attributes: Tensor, grid: BevGrid, *, classes: int, min_radius: int = 2
) -> CentreTarget:
    """Heat spots and what is regressed at their centres; boxes whose centre lies outside the grid are left out.

    Args:
        boxes: (B,M,9), labels, attributes: (B,M); see `Batch`.
        min_radius: of a heat spot, in cells.
    """
    rows, columns = grid.shape
    at = _in_cells(boxes, grid)
    column, row = torch.floor(at).nan_to_num(-1).long().unbind(-1)
    valid = (labels >= 0) & (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
    radius = gaussian_radius(boxes[..., 3:5].nan_to_num(1.0) / grid.cell_m).floor().clamp(min=min_radius)
    heat = heat_spots(column, row, radius, torch.where(valid, labels, -1), grid.shape, classes=classes)
    yaw = boxes[..., 6:7]
    values = torch.cat(
        [at - torch.floor(at) - 0.5, boxes[..., 2:3], boxes[..., 3:6].log(), yaw.sin(), yaw.cos(), boxes[..., 7:9]], -1
    )
    return CentreTarget(
        heat,
        torch.where(valid, row * columns + column, 0),
        valid,
        torch.where(valid.unsqueeze(-1), values, torch.nan),
        torch.where(valid, attributes, -1),
    )


def heat_spots(
    column: Tensor, row: Tensor, radius: Tensor, labels: Tensor, shape: tuple[int, int], *, classes: int
) -> Tensor:
    """Heat (B,classes,Y,X): of each of the cells (B,M) of a class a bell that is 1 there and ends `radius` cells away.

    Args:
        labels: (B,M) classes, -1 for no spot; shape: rows and columns.
    """
    sigma = (2 * radius + 1) / 6
    down = torch.arange(shape[0], device=row.device) - row.unsqueeze(-1)
    over = torch.arange(shape[1], device=row.device) - column.unsqueeze(-1)
    spots = _bell(down, radius, sigma).unsqueeze(-1) * _bell(over, radius, sigma).unsqueeze(-2)
    spots = spots * (labels >= 0)[..., None, None]
    return torch.stack([torch.where(labels[..., None, None] == k, spots, 0).amax(1) for k in range(classes)], 1)


def gaussian_radius(lw_cells: Tensor, min_overlap: float = MIN_OVERLAP) -> Tensor:
    """Radius in cells (...) by which both corners of a box (...,2) may be off while the IoU stays above `min_overlap`.

    The least of three cases (both corners in, both out, one each), as in CornerNet (H. Law, J. Deng, 2018), with the
    roots of its quadratic equations taken rightly.
    """
    a, b = lw_cells[..., 0], lw_cells[..., 1]
    total, area = a + b, a * b
    o = min_overlap
    one_each = (total - (total**2 - 4 * area * (1 - o) / (1 + o)).sqrt()) / 2
    both_in = (total - (total**2 - 4 * area * (1 - o)).sqrt()) / 4
    both_out = (-o * total + ((o * total) ** 2 + 4 * o * (1 - o) * area).sqrt()) / (4 * o)
    return torch.minimum(torch.minimum(one_each, both_in), both_out)


def _in_cells(boxes: Tensor, grid: BevGrid) -> Tensor:
    """(B,M,2) column and row of the centres, with fractions; a cell's middle is at one half."""
    origin = boxes.new_tensor([grid.x_min_m, grid.y_min_m])
    return (boxes[..., :2] - origin) / grid.cell_m


def _from_centres(boxes: Tensor, grid: BevGrid) -> tuple[Tensor, Tensor]:
    """(B,M,1,X) and (B,M,Y,1) m from the boxes' centres to the cells' middles."""
    y, x = (axis.to(boxes) for axis in grid.centres_m())
    return x - boxes[..., 0, None, None], y[:, None] - boxes[..., 1, None, None]


def _bell(away: Tensor, radius: Tensor, sigma: Tensor) -> Tensor:
    near = away.abs() <= radius.unsqueeze(-1)
    return torch.where(near, torch.exp(-(away**2) / (2 * sigma.unsqueeze(-1) ** 2)), 0)
