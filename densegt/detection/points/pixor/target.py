"""What each cell of the ground plane is asked, given the boxes: whose is it, and where is that box from here."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from densegt.detection.bev.grid import BevGrid

NO_BOX = -1


class CellTarget(NamedTuple):
    """For B samples.

    Attributes:
        box: (B,Y,X) the box that a cell is asked for, NO_BOX where it is asked for none.
        asked: (B,classes,Y,X) bool, is the cell asked about this class.
        values: (P,10) as in `CentreTarget`, of the P cells that have a box, in the order of `box != NO_BOX`'s places.
    """

    box: Tensor
    asked: Tensor
    values: Tensor


def cell_target(
    boxes: Tensor, labels: Tensor, grid: BevGrid, *, classes: int, inner: float, outer: float
) -> CellTarget:
    """The cells of each box: those in its middle, and always the one that its centre lies in.

    A cell in the middle of several boxes is asked for the one whose middle it is most in. A cell near a box, but not in
    its middle, is asked nothing about that class, as in B. Yang et al., PIXOR, 2018.

    Args:
        boxes: (B,M,9), labels: (B,M); see `Batch`.
        inner, outer: shares of length and width that are the middle, and near.
    """
    away = _from_centres(boxes, grid)  # (B,M,Y,X,2)
    c, s = (turn[..., None, None] for turn in (torch.cos(boxes[..., 6]), torch.sin(boxes[..., 6])))
    along = c * away[..., 0] + s * away[..., 1]
    across = c * away[..., 1] - s * away[..., 0]
    half = boxes[..., 3:5, None, None] / 2
    out = torch.maximum(along.abs() / half[:, :, 0], across.abs() / half[:, :, 1])
    there = (labels >= 0)[..., None, None]
    holds = ((away >= -grid.cell_m / 2) & (away < grid.cell_m / 2)).all(-1)
    middle = there & ((out <= inner) | holds)
    nearest = torch.where(middle, torch.where(holds, 0, out), torch.inf).min(1)
    box = torch.where(nearest.values.isfinite(), nearest.indices, NO_BOX)
    near = there & (out <= outer)
    mine = torch.where(box == NO_BOX, NO_BOX, labels.gather(1, box.clamp(min=0).flatten(1)).view_as(box))
    kind = torch.arange(classes, device=labels.device)
    spared = torch.stack([(near & (labels == k)[..., None, None]).any(1) for k in range(classes)], 1)
    asked = ~spared | (mine.unsqueeze(1) == kind.view(-1, 1, 1))
    return CellTarget(box, asked, _values(boxes, box, grid))


def _values(boxes: Tensor, box: Tensor, grid: BevGrid) -> Tensor:
    """(P,10) of the cells that have a box."""
    b, row, column = (box != NO_BOX).nonzero().unbind(-1)
    mine = boxes[b, box[b, row, column]]
    dx = (mine[:, 0] - grid.x_min_m) / grid.cell_m - column - 0.5
    dy = (mine[:, 1] - grid.y_min_m) / grid.cell_m - row - 0.5
    yaw = mine[:, 6:7]
    return torch.cat(
        [dx[:, None], dy[:, None], mine[:, 2:3], mine[:, 3:6].log(), yaw.sin(), yaw.cos(), mine[:, 7:9]], 1
    )


def _from_centres(boxes: Tensor, grid: BevGrid) -> Tensor:
    """(B,M,Y,X,2) m in x and y from the boxes' centres to the cells'."""
    y, x = (axis.to(boxes) for axis in grid.centres_m())
    dx = (x - boxes[..., 0, None, None]).expand(-1, -1, len(y), -1)
    dy = (y[:, None] - boxes[..., 1, None, None]).expand(-1, -1, -1, len(x))
    return torch.stack([dx, dy], -1)
