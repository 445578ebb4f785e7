"""What a depth net's answer costs."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from densegt.detection.data.batch import Batch
from densegt.detection.depth_head import bin_targets
from densegt.detection.depth_head.depth_target import depth_target
from densegt.detection.losses import depth_loss, weighted_mean
from densegt.detection.points.pseudo_lidar.config import PlConfig
from densegt.detection.points.pseudo_lidar.estimator import Depth


def depth_losses(depth: Depth, batch: Batch, config: PlConfig) -> dict[str, Tensor]:
    """Weighted means over what is known: of the bins, each cell of the feature map, and of metres, each point."""
    model, weights = config.model.depth, config.weights
    bins = model.bins.made()
    depth_m, confidence = batch["depth_m"].flatten(0, 1), batch["confidence"].flatten(0, 1)
    cells = depth_target(config.depth_target, depth_m, confidence, bins, stride=model.stride)
    asked = bin_targets.soft(bins, cells.depth_m)
    of_bins = weighted_mean(depth_loss(config.depth_loss, depth.logits.float().log_softmax(1), asked), cells.weight)
    points = depth_target("nearest", depth_m, confidence, bins, stride=model.points_stride)
    off = functional.smooth_l1_loss(depth.depth_m.flatten(0, 1), points.depth_m, reduction="none")
    return {"bins": weights.bins * of_bins, "metres": weights.metres * weighted_mean(off, points.weight)}
