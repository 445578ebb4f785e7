"""The network: layers of voxels are the channels of an image, seen at several sizes, and every cell names a box."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from densegt.datasets.detection_classes import ATTRIBUTES, CLASSES, MAX_BOXES
from densegt.detection.bev.grid import BevGrid
from densegt.detection.bev.heads import CentreHead, Centres, DecodedBoxes, decode_cells
from densegt.detection.bev.residual import Merge, convolution, stage
from densegt.detection.losses import heat_loss, known_l1
from densegt.detection.points.pixor.config import PixorConfig
from densegt.detection.points.pixor.suppress import suppress
from densegt.detection.points.pixor.target import NO_BOX, cell_target
from densegt.detection.points.pseudo_lidar.detector import Boxes, Detector
from densegt.detection.points.pseudo_lidar.points import PointBatch
from densegt.detection.points.pseudo_lidar.voxel_grid import VoxelGrid
from densegt.detection.points.pseudo_lidar.voxels import hard, soft

# Of the ten regressed numbers; one sweep says nothing about speed.
VALUE_WEIGHTS = (1.0,) * 8 + (0.05, 0.05)
# Cells that are less likely name no box; of more than this the likeliest are looked at. A car answers with dozens.
MIN_SCORE = 0.01
MAX_CELLS = 20 * MAX_BOXES


class Pixor(Detector):
    """After B. Yang et al., PIXOR: Real-time 3D Object Detection from Point Clouds, 2018.

    What is different: the header has classes, height and attributes beside PIXOR's six numbers, so that its answers are
    nuScenes' boxes, and shares `CentreHead`'s three branches; residual blocks are those of this package.

    Args:
        grid: of the answers; a cell is a power of two of voxels wide.

    Raises:
        ValueError: the voxels do not fit the grid's cells, or the coarsest map is finer than they are.
    """

    def __init__(self, config: PixorConfig, grid: BevGrid) -> None:
        super().__init__()
        self.config, self.grid = config, grid
        fine = BevGrid(
            grid.x_min_m, grid.x_max_m, grid.y_min_m, grid.y_max_m, config.cell_m, grid.z_min_m, grid.z_max_m
        )
        self.voxels = VoxelGrid(fine, config.layers)
        halvings = (round(grid.cell_m / config.cell_m)).bit_length() - 1
        if config.cell_m * 2**halvings != grid.cell_m or not 1 <= halvings <= len(config.widths):
            raise ValueError(
                f"cells of {grid.cell_m} m are not 2, 4, ... voxels of {config.cell_m} m of {config.widths}"
            )
        self.stem = nn.Sequential(convolution(config.layers, config.stem), convolution(config.stem, config.stem))
        ins = (config.stem, *config.widths)
        self.stages = nn.ModuleList(
            stage(before, after, config.blocks, 2) for before, after in zip(ins, config.widths, strict=False)
        )
        wanted = config.widths[halvings - 1 :]
        self.merges = nn.ModuleList(
            Merge(fine, coarse, fine) for fine, coarse in zip(wanted[-2::-1], wanted[:0:-1], strict=True)
        )
        self.last = convolution(wanted[0], config.channels)
        self.header = CentreHead(config.channels, classes=len(CLASSES), attributes=len(ATTRIBUTES))

    def forward(self, points: PointBatch, truth: Boxes | None = None) -> Centres:
        """What is said of every cell."""
        return self.answer(self.occupancy(points))

    def answer(self, occupancy: Tensor) -> Centres:
        """What is said of every cell, given the voxels (B,Z,Y,X)."""
        x = self.stem(occupancy)
        maps = []
        for each in self.stages:
            x = each(x)
            maps.append(x)
        for merge, fine in zip(self.merges, maps[-2::-1], strict=False):
            x = merge(fine, x)
        said: Centres = self.header(self.last(x))
        return said

    def occupancy(self, points: PointBatch) -> Tensor:
        """(B,Z,Y,X)."""
        if self.config.quantisation == "hard":
            return hard(points, self.voxels)
        return soft(points, self.voxels, sigma_m=self.config.sigma_m or self.config.cell_m)

    def losses(self, said: Centres, truth: Boxes) -> dict[str, Tensor]:
        """Focal loss of the cells that are asked, smooth L1 of what those with a box regress."""
        config, classes = self.config, said.heat.shape[1]
        target = cell_target(
            truth.boxes, truth.labels, self.grid, classes=classes, inner=config.inner, outer=config.outer
        )
        b, row, column = (target.box != NO_BOX).nonzero().unbind(-1)
        box = target.box[b, row, column]
        heat = torch.zeros_like(said.heat)
        heat[b, truth.labels[b, box], row, column] = 1
        count = max(len(b), 1)
        off = known_l1(said.values[b, :, row, column].float(), target.values) * target.values.new_tensor(VALUE_WEIGHTS)
        kinds, said_kinds = truth.attributes[b, box], said.attributes[b, :, row, column].float()
        wrong = functional.cross_entropy(said_kinds, kinds, ignore_index=-1, reduction="none")
        return {
            "heat": config.heat * (heat_loss(said.heat, heat) * target.asked).sum() / count,
            "values": config.values * off.sum() / count,
            "attributes": config.attributes * wrong.sum() / max(int((kinds >= 0).sum()), 1),
        }

    def found(self, said: Centres) -> DecodedBoxes:
        """The boxes of all likely cells, those left out that stand where a likelier one of the class does."""
        scores = said.heat.float().sigmoid()
        likely = torch.where(scores >= MIN_SCORE, scores, 0)
        count = int((likely > 0).flatten(1).sum(1).max())
        cells = decode_cells(said, self.grid, likely, most=min(max(count, 1), MAX_CELLS))
        return suppress(cells, self.config.min_overlap, most=MAX_BOXES)
