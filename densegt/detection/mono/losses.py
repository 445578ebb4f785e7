"""What a placed shape costs, each object and each yaw for itself; the caller weighs and reduces."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

TINY = 1e-6
# Corners nearer than this are taken to be this far.
NEAREST_M = 0.5
# A pixel's edge is worth no more than this share of a pixel.
MIN_PIXELS = 0.7


def depth_loss(distance: Tensor, weight: Tensor, scale_m: Tensor) -> Tensor:
    """(B,K) of signed distances (B,K,P) m of measured points with weights (B,P); 0 where there is no point.

    Cauchy's, by the square of `scale_m` (B,): what is measured on something else by mistake pulls ever less the farther
    it is away. With Huber's a few objects with depth 15 m off decided all that was learned.
    """
    cost = torch.log1p(0.5 * (distance / scale_m[:, None, None]).square())
    return (cost * weight[:, None]).sum(-1) / weight.sum(-1, keepdim=True).clamp(min=TINY)


def free_space_loss(distance: Tensor, weight: Tensor, scale_m: Tensor) -> Tensor:
    """(B,K) as `depth_loss`, of places (B,K,P) that were seen through: only such as are inside the shape cost.

    Without it a shape that is too near is as good as one in its place: points deep inside it have its surface at hand
    all around.
    """
    return depth_loss(distance.clamp(max=0), weight, scale_m)


def scale_of(depth_m: float, full_depth_m: float, x_m: Tensor) -> Tensor:
    """(B,) m, of objects at (B,) m: `depth_m` up to `full_depth_m`, in proportion beyond."""
    return depth_m * (x_m / full_depth_m).clamp(min=1)


def ground_loss(bottom_m: Tensor, x_m: Tensor, ground_m: float, slope: float) -> Tensor:
    """(B,) of heights (B,) m of shapes' bottoms over the plane that the camera's vehicle stands on, (B,) m away.

    Cauchy's, by the square of `ground_m` and what a road may rise by till there.
    """
    return torch.log1p(0.5 * (bottom_m / (ground_m + slope * x_m)).square())


def silhouette_loss(least: Tensor, inside: Tensor, weight: Tensor, soft_m: Tensor) -> Tensor:
    """(B,K) of least distances (B,K,R) m along rays that meet the object or not, (B,R); `soft_m` (B,)."""
    logits = -least / soft_m[:, None, None]
    target = inside[:, None].expand_as(logits)
    cost = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return (cost * weight[:, None]).sum(-1) / weight.sum(-1, keepdim=True).clamp(min=TINY)


def softness_m(pixel: Tensor, depth_m: Tensor, least_m: float) -> Tensor:
    """(B,) how far a ray may pass a shape: a part of a pixel at its depth, and no less than `least_m`."""
    return (MIN_PIXELS * pixel * depth_m).clamp(min=least_m)


def box_2d_loss(corners: Tensor, box_ab: Tensor, cut: Tensor, slack: float) -> Tensor:
    """(B,K) of a box's corners (B,K,8,3) against the 2D box (B,4): edges that differ by less than `slack` cost nothing.

    Beyond an edge of the image (cut, (B,4)) the box may reach as far as it likes. Differences are in heights of
    the 2D box.
    """
    wrong = edge_differences(corners, box_ab)
    outwards = wrong.new_tensor([-1.0, 1.0, -1.0, 1.0])
    wrong = torch.where(cut[:, None] & (wrong * outwards > 0), 0, wrong)
    over = (wrong.abs() - slack).clamp(min=0)
    return functional.huber_loss(over / 0.1, torch.zeros_like(over), reduction="none").mean(-1)


def edge_differences(corners: Tensor, box_ab: Tensor) -> Tensor:
    """(B,K,4) by how much the corners' image reaches farther left or up than the 2D box, in heights of that.

    The order is the box's: right, left, bottom, top.
    """
    ab = corners[..., 1:] / corners[..., :1].clamp(min=NEAREST_M)
    least, most = ab.amin(-2), ab.amax(-2)
    found = torch.stack([least[..., 0], most[..., 0], least[..., 1], most[..., 1]], -1)
    height = (box_ab[:, 3] - box_ab[:, 2]).clamp(min=1e-4)
    return (found - box_ab[:, None]) / height[:, None, None]


def size_loss(size: Tensor, mean: Tensor, sigma: Tensor) -> Tensor:
    """(B,) of sizes (B,3) m that are unlike their class."""
    return ((size - mean) / sigma.clamp(min=0.03)).square().mean(-1)


def shape_loss(w: Tensor) -> Tensor:
    """(B,) of codes (B,8) in deviations."""
    return w.square().mean(-1)


def label_loss(middle: Tensor, size: Tensor, box: Tensor) -> Tensor:
    """(B,) of middles and sizes (B,3) against boxes (B,>=6) m: depth by its logarithm; 0 where a box is not known."""
    known = box[:, :6].isfinite().all(-1)
    wanted = torch.where(known[:, None], box[:, :6], torch.ones_like(box[:, :6]))
    x, true_x = middle[:, 0].clamp(min=NEAREST_M), wanted[:, 0].clamp(min=NEAREST_M)
    depth = functional.smooth_l1_loss(x.log(), true_x.log(), reduction="none", beta=0.02)
    aside = functional.smooth_l1_loss(
        middle[:, 1:] / x[:, None], wanted[:, 1:3] / true_x[:, None], reduction="none", beta=0.01
    ).mean(-1)
    lengths = functional.smooth_l1_loss(size, wanted[:, 3:6], reduction="none", beta=0.2).mean(-1)
    return torch.where(known, 10 * depth + 20 * aside + lengths, 0)


def yaw_loss(yaw: Tensor, wanted: Tensor) -> Tensor:
    """(B,K) of yaws (B,K) rad against one (B,): 0 where it is right, 2 where it is turned about; 0 where unknown."""
    known = wanted.isfinite()
    wanted = torch.where(known, wanted, 0)
    return torch.where(known[:, None], 1 - (yaw - wanted[:, None]).cos(), 0)


def hindsight(cost: Tensor) -> Tensor:
    """(B,) which of the hypotheses has the least cost (B,K)."""
    return cost.detach().argmin(-1)


def mixed(values: Tensor, best: Tensor, fade: float) -> Tensor:
    """(B,) of one of the hypotheses (B,K), and with a share of `fade`, 1 to 0, of their mean.

    At first all have a part, so that none is left behind before it has been tried.
    """
    return (1 - fade) * values.gather(1, best[:, None]).squeeze(1) + fade * values.mean(-1)


def nearest_yaw(yaw: Tensor, wanted: Tensor) -> Tensor:
    """(B,) which of the hypotheses (B,K) is nearest to a yaw (B,)."""
    return yaw_loss(yaw.detach(), wanted).argmin(-1)


def around(count: int, like: Tensor) -> Tensor:
    """(count,) yaws all around."""
    return torch.arange(count, dtype=like.dtype, device=like.device) * (2 * math.pi / count)
