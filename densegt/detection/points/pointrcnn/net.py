"""PointRCNN: a detector on points alone, in two stages (S. Shi, X. Wang, H. Li, CVPR 2019), from the paper."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from densegt.detection.bev.grid import BevGrid
from densegt.detection.bev.heads import DecodedBoxes
from densegt.detection.points.pointrcnn.backbone import Backbone, drawn
from densegt.detection.points.pointrcnn.config import PointRcnnConfig
from densegt.detection.points.pointrcnn.frames import boxes_in_ref
from densegt.detection.points.pointrcnn.losses import class_loss, foreground_loss, proposal_loss, region_loss
from densegt.detection.points.pointrcnn.proposals import ProposalHead, Regions, point_bins, propose
from densegt.detection.points.pointrcnn.refine import Refine, region_bins
from densegt.detection.points.pointrcnn.targets import learned_from, point_target, region_target, shaken, wanted
from densegt.detection.points.pseudo_lidar.detector import Boxes, Detector
from densegt.detection.points.pseudo_lidar.points import PointBatch
from densegt.detection.scoring.rotated_iou import nms


class PointRcnnOutput(NamedTuple):
    """Of clouds of N points: xyz (B,N,3), which there are (B,N), logits of being an object's (B,N), box values
    (B,N,numbers); of regions: boxes and samples, logits (P,classes), box values (P,numbers).
    """

    xyz: Tensor
    there: Tensor
    foreground: Tensor
    values: Tensor
    regions: Regions
    classes: Tensor
    region_values: Tensor


class PointRcnn(Detector):
    """Points to boxes. Gradients flow to the points' coordinates; which points are neighbours has none.

    Args:
        grid: points beyond it, also in height, are not looked at.
    """

    def __init__(self, config: PointRcnnConfig, grid: BevGrid) -> None:
        super().__init__()
        self.config, self.grid, self.classes = config, grid, config.classes
        self.backbone = Backbone(config)
        self.head = ProposalHead(config.widths[-1], point_bins(config))
        self.refine = Refine(config)

    def forward(self, points: PointBatch, truth: Boxes | None = None) -> PointRcnnOutput:
        """What is said of the points; with the truth, also of regions near it, to learn from."""
        xyz, there = self.clouds(points)
        features = self.backbone(xyz)
        foreground, values = self.head(features)
        most = self.config.proposals if self.training else self.config.test_proposals
        regions = propose(xyz, there, foreground, values, self.config, most=most)
        if truth is not None:
            regions = self._to_learn_from(regions, truth, there)
        classes, region_values = self.refine(xyz, foreground, features, regions)
        return PointRcnnOutput(xyz, there, foreground, values, regions, classes, region_values)

    def losses(self, said: PointRcnnOutput, truth: Boxes) -> dict[str, Tensor]:
        """Weighted means, by what they ask for."""
        config, weights = self.config, self.config.weights
        boxes, classes = wanted(truth.boxes, truth.labels, config.labels)
        of_points = point_target(said.xyz, boxes)
        of_regions = region_target(said.regions.boxes, said.regions.sample, boxes, classes)
        sides = {"sure_iou": config.sure_iou, "wrong_iou": config.wrong_iou}
        proposed = proposal_loss(said.xyz, said.values, said.there, of_points, boxes, point_bins(config))
        refined = region_loss(
            said.region_values, said.regions, of_regions, region_bins(config), right_iou=config.right_iou
        )
        return {
            "foreground": weights.foreground * foreground_loss(said.foreground, said.there, of_points),
            "proposals": weights.proposals * proposed,
            "classes": weights.classes * class_loss(said.classes, of_regions, **sides),
            "boxes": weights.boxes * refined,
        }

    @torch.no_grad()
    def found(self, said: PointRcnnOutput) -> DecodedBoxes:
        """Boxes of the second stage, none of which overlaps a surer one; where there are fewer, of score 0."""
        boxes = boxes_in_ref(region_bins(self.config).boxes(said.region_values.float()), said.regions.boxes.float())
        best = said.classes.float().sigmoid().max(-1) if len(boxes) else None
        kept = []
        for b in range(len(said.xyz)):
            mine = (said.regions.sample == b).nonzero().squeeze(-1)
            scores = best.values[mine] if best is not None else mine.float()
            chosen = nms(
                boxes[mine].cpu().numpy(), scores.cpu().numpy(), iou=self.config.found_iou, most=self.config.most
            )
            kept.append(mine[torch.from_numpy(chosen).to(mine.device)])
        return self._padded(boxes, best, kept)

    def clouds(self, points: PointBatch) -> tuple[Tensor, Tensor]:
        """(B,N,3) of as many points each as the configuration says, and (B,N) which of them are no repetition.

        A cloud without a point is one point at the origin, repeated, and none of it is there. In training points are
        drawn anew each time, else always the same.
        """
        inside = (self.grid.cell(*points.xyz_ref.detach().unbind(-1)) >= 0).nonzero().squeeze(-1)
        sample = points.sample[inside]
        count, generator = self.config.points, None if self.training else torch.Generator().manual_seed(0)
        clouds, there = [], []
        for b in range(points.samples):
            mine = inside[sample == b]
            if len(mine):
                places, first = drawn(points.xyz_ref[mine], count, generator)
                clouds.append(points.xyz_ref[mine[places]])
            else:
                clouds.append(points.xyz_ref.new_zeros(count, 3))
                first = 0
            there.append(torch.arange(count, device=inside.device) < first)
        return torch.stack(clouds), torch.stack(there)

    def _to_learn_from(self, regions: Regions, truth: Boxes, there: Tensor) -> Regions:
        """Proposals and labelled boxes, shaken, in clouds that have points: some right ones and some wrong ones."""
        boxes, classes = wanted(truth.boxes, truth.labels, self.config.labels)
        near, of = shaken(torch.where(there.any(1)[:, None, None], boxes, torch.nan))
        both, sample = torch.cat([regions.boxes, near.to(regions.boxes)]), torch.cat([regions.sample, of])
        target = region_target(both, sample, boxes, classes)
        chosen = learned_from(target, sample, len(there), count=self.config.regions, right_iou=self.config.right_iou)
        return Regions(both[chosen], sample[chosen])

    def _padded(self, boxes: Tensor, best: Any, kept: list[Tensor]) -> DecodedBoxes:
        K = max(max(map(len, kept), default=0), 1)
        found = DecodedBoxes(
            boxes.new_zeros(len(kept), K, 9), *(torch.zeros(len(kept), K, dtype=d, device=boxes.device) for d in (
                torch.int64, torch.float32, torch.int64
            ))
        )  # fmt: skip
        classes = torch.tensor(self.config.labels, device=boxes.device)
        for b, mine in enumerate(kept):
            if len(mine):
                found.boxes[b, : len(mine), :7] = boxes[mine]
                found.labels[b, : len(mine)] = classes[best.indices[mine]]
                found.scores[b, : len(mine)] = best.values[mine]
        return found
