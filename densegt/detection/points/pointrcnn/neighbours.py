"""Which points belong together: places in a cloud, found without a gradient, and gathered with one.

Clouds are (B,N,3). On a processor numba's kernels search; elsewhere the same is said in torch.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from densegt.kernels.furthest_points import furthest_points
from densegt.kernels.points_in_ball import points_in_ball
from densegt.kernels.points_in_boxes import points_in_boxes
from densegt.kernels.three_nearest import three_nearest


def gather(x: Tensor, index: Tensor) -> Tensor:
    """(B,...,C) of x (B,N,C) at index (B,...)."""
    start = torch.arange(len(x), device=x.device).view(-1, *[1] * (index.dim() - 1)) * x.shape[1]
    return x.flatten(0, 1).index_select(0, (index + start).flatten()).view(*index.shape, x.shape[-1])


@torch.no_grad()
def furthest(xyz: Tensor, count: int) -> Tensor:
    """(B,count) places, each of the point furthest from those before, beginning with 0; see the kernel."""
    if xyz.device.type != "cpu":
        return furthest_in_torch(xyz, count)
    out = np.empty((len(xyz), count), np.int64)
    for cloud, row in zip(xyz.detach().numpy(), out, strict=True):
        furthest_points(cloud, row)
    return torch.from_numpy(out)


@torch.no_grad()
def in_ball(xyz: Tensor, centres: Tensor, radius_m: float, count: int) -> Tensor:
    """(B,M,count) places of the first points nearer to centres (B,M,3) than the radius; see the kernel."""
    if xyz.device.type != "cpu":
        return in_ball_in_torch(xyz, centres, radius_m, count)
    out = np.empty((*centres.shape[:2], count), np.int64)
    for cloud, middles, rows in zip(xyz.detach().numpy(), centres.detach().numpy(), out, strict=True):
        points_in_ball(cloud, middles, radius_m, rows)
    return torch.from_numpy(out)


@torch.no_grad()
def nearest_three(xyz: Tensor, few: Tensor) -> Tensor:
    """(B,N,3) places in few (B,M,3) of the three that are nearest to each point."""
    if xyz.device.type != "cpu":
        return torch.sort(_squared(xyz, few), dim=-1, stable=True).indices[..., :3]
    out = np.empty((*xyz.shape[:2], 3), np.int64)
    for cloud, known, rows in zip(xyz.detach().numpy(), few.detach().numpy(), out, strict=True):
        three_nearest(cloud, known, rows)
    return torch.from_numpy(out)


@torch.no_grad()
def in_boxes(xyz: Tensor, boxes: Tensor, sample: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Places (P,count) of the first points in each box (P,7) of a sample (P,), and how many (P,), at most count."""
    if xyz.device.type != "cpu":
        return in_boxes_in_torch(xyz, boxes, sample, count)
    out, counts = np.zeros((len(boxes), count), np.int64), np.zeros(len(boxes), np.int64)
    clouds, each = xyz.detach().numpy(), boxes.detach().numpy()
    for p, b in enumerate(sample.tolist()):
        points_in_boxes(clouds[b], each[p : p + 1], out[p : p + 1], counts[p : p + 1])
    return torch.from_numpy(out), torch.from_numpy(counts)


def inside(xyz: Tensor, boxes: Tensor) -> Tensor:
    """(...,N,P) bool: are points (...,N,3) in boxes (...,P,7), faces included; NaN is in none, and holds none."""
    d = xyz.unsqueeze(-2) - boxes[..., None, :, :3]
    c, s = boxes[..., 6].cos().unsqueeze(-2), boxes[..., 6].sin().unsqueeze(-2)
    along, across = c * d[..., 0] + s * d[..., 1], c * d[..., 1] - s * d[..., 0]
    half = boxes[..., None, :, 3:6] / 2
    return (along.abs() <= half[..., 0]) & (across.abs() <= half[..., 1]) & (d[..., 2].abs() <= half[..., 2])


def furthest_in_torch(xyz: Tensor, count: int) -> Tensor:
    """See `furthest`."""
    rows = torch.arange(len(xyz), device=xyz.device)
    squared = torch.full(xyz.shape[:2], torch.inf, dtype=xyz.dtype, device=xyz.device)
    out = torch.zeros(len(xyz), count, dtype=torch.int64, device=xyz.device)
    for m in range(1, count):
        last = xyz[rows, out[:, m - 1]].unsqueeze(1)
        squared = torch.minimum(squared, _squared(xyz, last).squeeze(-1))
        out[:, m] = squared.argmax(1)
    return out


def in_ball_in_torch(xyz: Tensor, centres: Tensor, radius_m: float, count: int) -> Tensor:
    """See `in_ball`."""
    first = _first(_squared(centres, xyz) < radius_m**2, count)
    return torch.where(first < xyz.shape[1], first, first[..., :1]) % xyz.shape[1]


def in_boxes_in_torch(xyz: Tensor, boxes: Tensor, sample: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """See `in_boxes`."""
    held = inside(xyz[sample], boxes.unsqueeze(1)).squeeze(-1)
    first, counts = _first(held, count), held.sum(-1).clamp(max=count)
    turn = torch.arange(count, device=xyz.device) % counts.clamp(min=1).unsqueeze(-1)
    return torch.where(counts.unsqueeze(-1) > 0, first.gather(-1, turn), 0), counts


def _first(held: Tensor, count: int) -> Tensor:
    """(...,count) places of the first that are true, their number of places where there are no more."""
    N = held.shape[-1]
    places = torch.where(held, torch.arange(N, device=held.device), N)
    if count > N:
        places = torch.nn.functional.pad(places, (0, count - N), value=N)
    return places.topk(count, largest=False, sorted=True).values


def _squared(a: Tensor, b: Tensor) -> Tensor:
    """(B,N,M) m², not by way of products, which would lose digits."""
    d = a.unsqueeze(2) - b.unsqueeze(1)
    return d[..., 0] ** 2 + d[..., 1] ** 2 + d[..., 2] ** 2
