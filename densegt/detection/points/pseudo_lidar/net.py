"""The whole line: images to depth, depth to points, points to boxes."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from densegt.detection.data.batch import Batch
from densegt.detection.points.pseudo_lidar.build import build_detector
from densegt.detection.points.pseudo_lidar.config import Coupling, PlModelConfig
from densegt.detection.points.pseudo_lidar.detector import Boxes
from densegt.detection.points.pseudo_lidar.estimator import Depth, DepthEstimator
from densegt.detection.points.pseudo_lidar.points import PointBatch, gathered, unproject
from densegt.detection.points.pseudo_lidar.sparsify import nearest_per_beam


class PseudoLidarOutput(NamedTuple):
    """Depth, None where it was measured; the points that the detector read; what it said of them."""

    depth: Depth | None
    points: PointBatch
    said: Any


class PseudoLidar(nn.Module):
    """A depth net and a detector; without the former where points are measured."""

    def __init__(self, config: PlModelConfig) -> None:
        super().__init__()
        self.config = config
        self.depth = DepthEstimator(config.depth) if config.input == "pseudo" else None
        self.detector = build_detector(config)

    def forward(self, batch: Batch, coupling: Coupling, truth: Boxes | None = None) -> PseudoLidarOutput:
        """What is said of a batch.

        Args:
            coupling: whether depth has a gradient at all, and whether the points pass theirs on to it.
            truth: in training only.
        """
        depth = self._estimated(batch, coupling)
        depth_m = batch["depth_m"] if depth is None else depth.depth_m
        points = self.points(batch, depth_m if coupling == "end-to-end" else depth_m.detach())
        return PseudoLidarOutput(depth, points, self.detector(points, truth))

    def points(self, batch: Batch, depth_m: Tensor) -> PointBatch:
        """What the detector reads, of depth (B,V,h,w) or of the sweep."""
        if self.config.input == "lidar":
            return gathered(batch["points"], batch["point_age_s"])
        stride = self.config.size[0] // depth_m.shape[-2]
        points = unproject(depth_m, batch["K"], batch["T_ref_cam"], stride=stride)
        spin = self.config.spin.made()
        return points if spin is None else points.select(nearest_per_beam(points, spin))

    def _estimated(self, batch: Batch, coupling: Coupling) -> Depth | None:
        if self.depth is None:
            return None
        if coupling == "frozen":
            # The means of its batch norm stay as they are too.
            self.depth.eval()
        with torch.no_grad() if coupling == "frozen" else nullcontext():
            depth: Depth = self.depth(batch["images"], batch["K"], batch["T_ref_cam"])
        return depth
