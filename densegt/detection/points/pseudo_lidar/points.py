"""Depth maps to points in the reference frame, differentiable with respect to depth."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from densegt.detection.bev.frustum import feature_uv, rays_ref

# The origin of points that come from no depth map.
NO_PIXEL = -1


class PointBatch(NamedTuple):
    """Points of all samples of a batch in one list.

    Attributes:
        xyz_ref: (M,3) m.
        sample: (M,) int64, of which sample; never falling.
        origin: (M,) int64, the pixel of the depth maps (B,V,H,W), counted through all of them; NO_PIXEL where there is
            none.
        samples: how many there are; any of them may be without points.
        age_s: (M,) before the keyframe, of points of several sweeps; None where all are the keyframe's own.
    """

    xyz_ref: Tensor
    sample: Tensor
    origin: Tensor
    samples: int
    age_s: Tensor | None = None

    def of(self, sample: int) -> Tensor:
        """(M,3) of one sample."""
        return self.xyz_ref[self.sample == sample]

    def select(self, index: Tensor) -> PointBatch:
        """The points of a mask (M,) or of places in rising order; a gradient reaches no others."""
        age_s = None if self.age_s is None else self.age_s[index]
        return PointBatch(self.xyz_ref[index], self.sample[index], self.origin[index], self.samples, age_s)

    def features(self, maps: Tensor) -> Tensor:
        """(M,C) of maps (B,V,C,H,W), such as images, where each point comes from; zero for points of no pixel."""
        flat = maps.movedim(2, -1).flatten(0, 3)
        return flat[self.origin.clamp(min=0)] * (self.origin != NO_PIXEL).unsqueeze(-1)


def unproject(
    depth_m: Tensor, K: Tensor, T_ref_cam: Tensor, *, stride: int = 1, max_depth_m: float = math.inf
) -> PointBatch:
    """The point that each pixel of known depth shows.

    Args:
        depth_m: (B,V,H,W) z-depth; 0, negative or not finite is unknown.
        K, T_ref_cam: (B,V,3,3), (B,V,4,4), of the image that the network sees, whose pixel centres are integers.
        stride: px of that image to a cell of depth_m.
        max_depth_m: farther is left out.
    """
    B, _, H, W = depth_m.shape
    known = depth_m.isfinite() & (depth_m > 0) & (depth_m <= max_depth_m)
    uv = feature_uv(H, W, stride=stride).to(depth_m.device)
    rays = rays_ref(uv, K, T_ref_cam)[known]  # (M,3) float64
    index = known.flatten().nonzero().squeeze(1)
    start = T_ref_cam[..., :3, 3].double().flatten(0, 1)[index // (H * W)]
    xyz_ref = (start + rays * depth_m[known].double().unsqueeze(-1)).to(depth_m.dtype)
    return PointBatch(xyz_ref, index // (known.numel() // max(B, 1)), index, B)


def gathered(xyz_ref: Tensor, age_s: Tensor | None = None) -> PointBatch:
    """Points (B,N,3) that were measured, such as a lidar's, and their ages (B,N); NaN is padding."""
    there = xyz_ref.isfinite().all(-1)
    sample = there.nonzero()[:, 0]
    ages = None if age_s is None else age_s[there]
    return PointBatch(xyz_ref[there], sample, torch.full_like(sample, NO_PIXEL), len(xyz_ref), ages)
