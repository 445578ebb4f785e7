"""Objects of an image as cells of a map: targets, losses, and what is found."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from densegt.detection.bev.bev_target import gaussian_radius, heat_spots
from densegt.detection.bev.heads import peaks
from densegt.detection.losses import heat_loss, known_l1
from densegt.detection.mono.image_net import STRIDE, ImageMaps
from densegt.detection.scoring.rotated_iou import nms

# CenterNet's: boxes whose corners are off by a spot's radius still overlap by this much.
MIN_OVERLAP = 0.7
# Heat of what shall be neither found nor missed: at its middle it costs nothing, but it is no centre.
IGNORED = 0.999
# Logarithm of an edge's distance in cells.
LEAST, MOST = -3.0, 6.0


class Found2d(NamedTuple):
    """M objects: image (M,), class (M,), cell (M,), score (M,), box (M,4) px left, top, right, bottom of the input."""

    of: Tensor
    kind: Tensor
    cell: Tensor
    score: Tensor
    box_px: Tensor


def cells_of(box_px: Tensor, shape: tuple[int, int]) -> Tensor:
    """(M,) cell of the middle of boxes (M,4) px, row times w plus column, in maps of h rows and w columns."""
    u, v = (box_px[:, 0] + box_px[:, 2]) / 2, (box_px[:, 1] + box_px[:, 3]) / 2
    column, row = (torch.floor((at + 0.5) / STRIDE).long() for at in (u, v))
    return row.clamp(0, shape[0] - 1) * shape[1] + column.clamp(0, shape[1] - 1)


def edges_of(box_px: Tensor, cell: Tensor, width: int) -> Tensor:
    """(M,4) logarithms of the distances in cells from a cell's middle to its box's left, top, right and bottom."""
    u, v = _middles_px(cell, width)
    left, top, right, bottom = box_px.unbind(-1)
    away = torch.stack([u - left, v - top, right - u, bottom - v], -1) / STRIDE
    return away.clamp(min=1e-3).log().clamp(LEAST, MOST)


def boxes_of(edges: Tensor, cell: Tensor, width: int) -> Tensor:
    """(M,4) px, left, top, right, bottom, of what `edges_of` gives."""
    u, v = _middles_px(cell, width)
    left, top, right, bottom = (edges.clamp(LEAST, MOST).exp() * STRIDE).unbind(-1)
    return torch.stack([u - left, v - top, u + right, v + bottom], -1)


def heat_of(box_px: Tensor, kind: Tensor, of: Tensor, counted: Tensor, like: Tensor) -> Tensor:
    """Wanted heat, shaped like a map of logits (B,classes,h,w).

    Args:
        box_px: (M,4); kind: (M,); of: (M,) which image; counted: (M,) False where it does not matter what is found.
    """
    classes, (rows, columns) = like.shape[1], (like.shape[2], like.shape[3])
    cell = cells_of(box_px, (rows, columns))
    size = (box_px[:, 2:] - box_px[:, :2]) / STRIDE
    radius = gaussian_radius(size.clamp(min=0.1), MIN_OVERLAP).floor().clamp(min=1)
    out = []
    for image in range(len(like)):
        heat = like.new_zeros((1, classes, rows, columns), dtype=torch.float32)
        for chosen, top in ((counted, 1.0), (~counted, IGNORED)):
            mine = chosen & (of == image)
            if mine.any():
                at, wide, label = cell[mine][None], radius[mine][None], kind[mine][None]
                spots = heat_spots(at % columns, at // columns, wide, label, (rows, columns), classes=classes)
                # An object in the same cell as one that does not count is a centre all the same.
                heat = torch.maximum(heat, top * spots)
        out.append(heat)
    return torch.cat(out)


def centre_losses(maps: ImageMaps, heat: Tensor, box_px: Tensor, of: Tensor) -> dict[str, Tensor]:
    """Mean losses over the objects that there are: of heat, and of the edges of boxes (M,4) px in images (M,)."""
    count = max(len(of), 1)
    cell = cells_of(box_px, (heat.shape[2], heat.shape[3]))
    said = maps.edges.float().flatten(2)[of, :, cell]
    return {
        "heat": heat_loss(maps.heat, heat).sum() / count,
        "edges": known_l1(said, edges_of(box_px, cell, heat.shape[3])).sum() / count,
    }


@torch.no_grad()
def found_2d(maps: ImageMaps, *, most: int, min_score: float, max_overlap: float) -> Found2d:
    """Boxes at the peaks of heat, likeliest first within each image.

    Args:
        most: of an image; min_score: less likely ones are left out.
        max_overlap: of two boxes of a class that share more of what they cover the likelier one stays.
    """
    score = peaks(maps.heat)
    images, _, rows, columns = score.shape
    best = score.flatten(1).topk(min(most, score[0].numel()), 1)
    kept = best.values >= min_score
    of = torch.arange(images, device=score.device)[:, None].expand_as(kept)[kept]
    place, score = best.indices[kept], best.values[kept]
    kind, cell = place // (rows * columns), place % (rows * columns)
    box_px = boxes_of(maps.edges.float().flatten(2)[of, :, cell], cell, columns)
    numbers = (part.cpu().numpy() for part in (of, kind, score, box_px))
    which = torch.from_numpy(_without_doubles(*numbers, most=max_overlap)).to(of.device)
    return Found2d(of[which], kind[which], cell[which], score[which], box_px[which])


def _without_doubles(
    of: NDArray[np.int64], kind: NDArray[np.int64], score: NDArray[np.float32], box_px: NDArray[np.float32], *,
    most: float,
) -> NDArray[np.int64]:  # fmt: skip
    """Rows that stay, in order: of an image's boxes of a class none shares more than `most` with a likelier one."""
    middle, size = (box_px[:, :2] + box_px[:, 2:]) / 2, box_px[:, 2:] - box_px[:, :2]
    flat = np.zeros((len(of), 7))
    flat[:, :2], flat[:, 3:5], flat[:, 5] = middle, size, 1
    kept = [np.zeros(0, np.int64)]
    for image, name in sorted(set(zip(of.tolist(), kind.tolist(), strict=True))):
        mine = np.flatnonzero((of == image) & (kind == name))
        kept.append(mine[nms(flat[mine], score[mine].astype(np.float64), iou=most, most=len(mine))])
    return np.sort(np.concatenate(kept))


def _middles_px(cell: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """(M,) u and v of cells' middles; pixel centres are integers."""
    return (cell % width + 0.5) * STRIDE - 0.5, (torch.div(cell, width, rounding_mode="floor") + 0.5) * STRIDE - 0.5
