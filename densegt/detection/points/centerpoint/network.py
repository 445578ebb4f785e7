"""The network: pillars of several sweeps as an image, seen at several sizes; every object is its centre's cell."""

from __future__ import annotations

from torch import Tensor, nn

from densegt.datasets.detection_classes import ATTRIBUTES, CLASSES
from densegt.detection.bev.grid import BevGrid
from densegt.detection.bev.heads import CentreHead, Centres
from densegt.detection.bev.residual import Merge, convolution, stage
from densegt.detection.points.centerpoint.centre_detector import CentreDetector
from densegt.detection.points.centerpoint.config import CenterPointConfig
from densegt.detection.points.centerpoint.pillars import PillarNet
from densegt.detection.points.pseudo_lidar.detector import Boxes
from densegt.detection.points.pseudo_lidar.points import PointBatch


class CenterPoint(CentreDetector):
    """After T. Yin et al., Center-based 3D Object Detection, 2021, its first stage on pillars.

    Head, targets and losses are those of `LiftSplat`: ten classes in one group, with velocity and attribute.

    Args:
        grid: of the answers; a cell is one, two, four, ... pillars wide.

    Raises:
        ValueError: the pillars do not fit the grid's cells, or the coarsest map is finer than they are.
    """

    config: CenterPointConfig

    def __init__(self, config: CenterPointConfig, grid: BevGrid) -> None:
        super().__init__()
        self.config, self.grid, self.earlier_sweeps = config, grid, config.sweeps
        halvings = round(grid.cell_m / config.pillar_m).bit_length() - 1
        if config.pillar_m * 2**halvings != grid.cell_m or not 0 <= halvings < len(config.widths):
            raise ValueError(
                f"cells of {grid.cell_m} m are not 1, 2, 4, ... pillars of {config.pillar_m} m of {config.widths}"
            )
        pillars = BevGrid(
            grid.x_min_m, grid.x_max_m, grid.y_min_m, grid.y_max_m, config.pillar_m, grid.z_min_m, grid.z_max_m
        )
        self.pillars = PillarNet(pillars, config.features)
        ins = (config.features, *config.widths)
        self.stages = nn.ModuleList(
            stage(before, after, config.blocks, 1 if k == 0 else 2)
            for k, (before, after) in enumerate(zip(ins, config.widths, strict=False))
        )
        wanted = config.widths[halvings:]
        self.merges = nn.ModuleList(
            Merge(fine, coarse, fine) for fine, coarse in zip(wanted[-2::-1], wanted[:0:-1], strict=True)
        )
        self.last = convolution(wanted[0], config.channels)
        self.header = CentreHead(config.channels, classes=len(CLASSES), attributes=len(ATTRIBUTES))

    def forward(self, points: PointBatch, truth: Boxes | None = None) -> Centres:
        """What is said of every cell."""
        return self.answer(self.pillars(points))

    def answer(self, x: Tensor) -> Centres:
        """What is said of every cell, given the pillars (B,features,Y,X)."""
        maps = []
        for each in self.stages:
            x = each(x)
            maps.append(x)
        for merge, fine in zip(self.merges, maps[-2::-1], strict=False):
            x = merge(fine, x)
        said: Centres = self.header(self.last(x))
        return said
