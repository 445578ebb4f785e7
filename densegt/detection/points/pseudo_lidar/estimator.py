"""Depth of one image: train-lss's backbone, bins and depth nets, told where each pixel looks, read as metres."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from densegt.detection.bev.backbone import Backbone
from densegt.detection.bev.frustum import feature_uv, rays_ref
from densegt.detection.bev.residual import Residual, convolution
from densegt.detection.depth_head.depth_net import CameraAwareDepthNet, DepthNet, camera_numbers
from densegt.detection.points.pseudo_lidar.config import DepthConfig

# What a pixel is told of itself: slope of its ray, height of its camera, disparity of level ground.
SIGHT_NUMBERS = 3
# Ground nearer than a metre is as near as ground gets.
MAX_DISPARITY = 1.0


class Depth(NamedTuple):
    """Logits (B*V,D,h,w) over the bins, and z-depth (B,V,H/p,W/p) in m at the stride p of the points."""

    logits: Tensor
    depth_m: Tensor


class DepthEstimator(nn.Module):
    """Images to depth."""

    def __init__(self, config: DepthConfig) -> None:
        super().__init__()
        self.config, self.bins = config, config.bins.made()
        c = config
        self.backbone = Backbone(
            c.backbone, c.features, stride=c.stride, widths=c.backbone_widths, pretrained=c.pretrained
        )
        self.mix = nn.Sequential(
            convolution(c.features + SIGHT_NUMBERS, c.features),
            *(Residual(c.features, c.features) for _ in range(c.blocks)),
        )
        # One channel of context, which nobody looks at: neither net can do without.
        self.net = (
            CameraAwareDepthNet(c.features, self.bins.count, 1, width=c.features)
            if c.camera_aware
            else DepthNet(c.features, self.bins.count, 1)
        )

    def forward(self, images: Tensor, K: Tensor, T_ref_cam: Tensor) -> Depth:
        """Images (B,V,3,H,W), K (B,V,3,3), T_ref_cam (B,V,4,4), as in `Batch`."""
        B, V, _, H, W = images.shape
        features = self.backbone(images.flatten(0, 1))  # (B*V,C,h,w)
        known = sight(K, T_ref_cam, (H // self.config.stride, W // self.config.stride), stride=self.config.stride)
        features = self.mix(torch.cat([features, known.flatten(0, 1).to(features)], 1))
        logits, _ = self.net(features, camera_numbers(K, T_ref_cam, (H, W)))
        depth_m = self.bins.expectation_m(logits.float().softmax(1))
        wide = functional.interpolate(
            depth_m.unsqueeze(1), scale_factor=self.config.stride // self.config.points_stride, mode="bilinear",
            align_corners=False,
        )  # fmt: skip
        return Depth(logits, self.config.scale * wide.reshape(B, V, *wide.shape[-2:]))


def sight(K: Tensor, T_ref_cam: Tensor, size: tuple[int, int], *, stride: int) -> Tensor:
    """(B,V,3,h,w) of each cell: how its ray rises on a metre of depth, how high its camera is, disparity of the ground.

    A convolution does not know where it looks, and most of what a single image tells about depth is how far below the
    horizon a thing stands. All is as before when the reference frame is turned or mirrored about its z axis.
    """
    rise = rays_ref(feature_uv(*size, stride=stride).to(K.device), K, T_ref_cam)[..., 2]
    height_m = T_ref_cam[..., 2, 3].double()[..., None, None].expand_as(rise)
    disparity = (-rise / height_m.clamp(min=0.1)).clamp(0, MAX_DISPARITY)
    return torch.stack([rise, height_m, disparity * 10], 2)
