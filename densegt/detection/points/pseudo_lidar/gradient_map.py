"""Where a detector pulls the depth that its points are made of, and how much of that gradient is on objects."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from densegt.detection.data.batch import Batch
from densegt.detection.points.pseudo_lidar.detector import Boxes, boxes_of
from densegt.detection.points.pseudo_lidar.net import PseudoLidar
from densegt.detection.points.pseudo_lidar.points import PointBatch, unproject


class DepthGradient(NamedTuple):
    """Of B samples with V views.

    Attributes:
        slope: (B,V,h,w) of the detector's losses, for each metre of depth; where it is positive depth is pulled nearer.
        read: (B,V,h,w) bool, is there a point of this pixel that the detector read.
        known: (B,V,h,w) bool, is the pixel's true depth known.
        foreground: (B,V,h,w) bool, does the pixel show something in a labelled box: by its true depth, for estimated
            depth puts many an object's points beside it, and those are pulled most.
    """

    slope: Tensor
    read: Tensor
    known: Tensor
    foreground: Tensor

    def shares(self) -> tuple[float, float]:
        """Of all gradient, and of all points read, what is on the foreground; of pixels of known depth only.

        NaN where there is none of either.
        """
        counted = self.read & self.known
        pulled = self.slope.abs() * counted
        return (
            float((pulled * self.foreground).sum() / pulled.sum()),
            float((counted & self.foreground).sum() / counted.sum()),
        )


def depth_gradient(net: PseudoLidar, batch: Batch) -> DepthGradient:
    """Of the detector's losses alone; the network is used as it is, and its own gradients are left alone.

    Raises:
        ValueError: the network's points are not made of estimated depth.
    """
    if net.depth is None:
        raise ValueError("these points were measured: no depth net is to be pulled")
    with torch.no_grad():
        depth_m = net.depth(batch["images"], batch["K"], batch["T_ref_cam"]).depth_m
    depth_m.requires_grad_()
    truth = boxes_of(batch)
    points = net.points(batch, depth_m)
    costs = net.detector.losses(net.detector(points), truth)
    (slope,) = torch.autograd.grad(
        torch.stack(list(costs.values())).sum(), depth_m, allow_unused=True, materialize_grads=True
    )
    read, known, foreground = (torch.zeros(depth_m.numel(), dtype=torch.bool, device=depth_m.device) for _ in range(3))
    read[points.origin] = True
    true_points = true_points_of(batch, net.config.depth.points_stride)
    known[true_points.origin] = True
    foreground[true_points.origin] = in_boxes(true_points, truth)
    return DepthGradient(slope, *(mask.view_as(depth_m) for mask in (read, known, foreground)))


def true_points_of(batch: Batch, stride: int) -> PointBatch:
    """What the dataset's depth says of every `stride`th pixel."""
    depth_m = batch["depth_m"][..., stride // 2 :: stride, stride // 2 :: stride]
    return unproject(depth_m, batch["K"], batch["T_ref_cam"], stride=stride)


def in_boxes(points: PointBatch, truth: Boxes) -> Tensor:
    """(M,) does each point lie in a labelled box of its sample."""
    inside = torch.zeros(len(points.sample), dtype=torch.bool, device=points.sample.device)
    for b, (boxes, labels) in enumerate(zip(truth.boxes, truth.labels, strict=True)):
        mine = points.sample == b
        away = points.xyz_ref.detach()[mine].unsqueeze(1) - boxes[labels >= 0, :3]  # (M,N,3)
        half = boxes[labels >= 0, 3:6] / 2
        c, s = boxes[labels >= 0, 6].cos(), boxes[labels >= 0, 6].sin()
        along, across = c * away[..., 0] + s * away[..., 1], c * away[..., 1] - s * away[..., 0]
        in_box = torch.stack([along, across, away[..., 2]], -1).abs() <= half
        inside[mine] = in_box.all(-1).any(-1)
    return inside
