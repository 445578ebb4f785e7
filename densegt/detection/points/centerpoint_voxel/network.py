"""The network: voxels of several sweeps through sparse convolutions, then a dense map; objects are their centres."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn

from densegt.datasets.detection_classes import ATTRIBUTES, CLASSES
from densegt.detection.bev.grid import BevGrid
from densegt.detection.bev.heads import CentreHead, Centres
from densegt.detection.bev.residual import Merge, convolution, stage
from densegt.detection.points.centerpoint.centre_detector import CentreDetector
from densegt.detection.points.centerpoint_voxel.config import CenterPointVoxelConfig
from densegt.detection.points.centerpoint_voxel.sparse import SparseBlock, SparseMap, halved, pairs, strided_sites
from densegt.detection.points.pseudo_lidar.detector import Boxes
from densegt.detection.points.pseudo_lidar.points import PointBatch
from densegt.detection.points.pseudo_lidar.voxel_grid import VoxelGrid

# Of a voxel: where its points' mean lies from its middle along z, y and x, in voxels; their mean age; that it is there;
# that it is the keyframe's own sweep's, in part.
VOXEL_NUMBERS = 6
# As much older than the keyframe is another sweep's point.
OWN_S = 1e-3


class CenterPointVoxel(CentreDetector):
    """After T. Yin et al., Center-based 3D Object Detection, 2021, its first stage on voxels.

    At each size a submanifold convolution; from size to size one of stride 2. Layers left over are a map's channels.

    Args:
        grid: of the answers; a cell is as many voxels wide as the sparse convolutions halve.

    Raises:
        ValueError: the voxels do not fit the grid's cells.
    """

    config: CenterPointVoxelConfig

    def __init__(self, config: CenterPointVoxelConfig, grid: BevGrid) -> None:
        super().__init__()
        self.config, self.grid, self.earlier_sweeps = config, grid, config.sweeps
        halvings = len(config.widths) - 1
        if config.voxel_m * 2**halvings != grid.cell_m:
            raise ValueError(
                f"cells of {grid.cell_m} m are not voxels of {config.voxel_m} m, halved {halvings} times; "
                "name as many widths as there are sizes"
            )
        self.voxels = VoxelGrid(replace(grid, cell_m=config.voxel_m), config.layers)
        ins = (VOXEL_NUMBERS, *config.widths)
        self.entering = nn.ModuleList(SparseBlock(a, b) for a, b in zip(ins, config.widths, strict=False))
        self.staying = nn.ModuleList(SparseBlock(width, width) for width in config.widths)
        shape = (1, *self.voxels.shape)
        for _ in range(halvings):
            shape = halved(shape)
        wide = config.channels
        self.flat = convolution(config.widths[-1] * shape[1], wide, kernel=1)
        self.fine, self.coarse = stage(wide, wide, 1, 1), stage(wide, 2 * wide, 1, 2)
        self.merge = Merge(wide, 2 * wide, wide)
        self.header = CentreHead(wide, classes=len(CLASSES), attributes=len(ATTRIBUTES))

    def forward(self, points: PointBatch, truth: Boxes | None = None) -> Centres:
        """What is said of every cell."""
        x = self.flat(self.sparse(self.voxelised(points)).dense().flatten(1, 2))
        fine = self.fine(x)
        said: Centres = self.header(self.merge(fine, self.coarse(fine)))
        return said

    def voxelised(self, points: PointBatch) -> SparseMap:
        """What is told of each voxel with a point in it."""
        shape = (points.samples, *self.voxels.shape)
        numbers, inside = self.voxels.numbers(points.xyz_ref)
        numbers, sample, xyz = numbers[inside], points.sample[inside], points.xyz_ref[inside]
        _, Z, Y, X = shape
        flat = ((sample * Z + numbers[:, 0]) * Y + numbers[:, 1]) * X + numbers[:, 2]
        voxel, group = torch.unique(flat, return_inverse=True)
        age_s = torch.zeros_like(xyz[:, 0]) if points.age_s is None else points.age_s[inside]
        sides, corner = xyz.new_tensor(self.voxels.sides_m), xyz.new_tensor(self.voxels.corner_m)
        away = (xyz.flip(-1) - corner) / sides - numbers - 0.5
        own = (age_s.abs() < OWN_S).to(xyz)
        told = torch.cat([away, torch.stack([age_s, torch.ones_like(age_s), own], 1)], 1)
        total = told.new_zeros(len(voxel), VOXEL_NUMBERS).index_add(0, group, told)
        return SparseMap(total / total[:, 4:5].clamp(min=1), voxel, shape)

    def sparse(self, given: SparseMap) -> SparseMap:
        """Through the sparse convolutions."""
        for k, (enter, stay) in enumerate(zip(self.entering, self.staying, strict=True)):
            to = given if k == 0 else strided_sites(given)
            here = pairs(to, to, 1)
            routes, sites = (here if k == 0 else pairs(given, to, 2)), len(to.voxel)
            features = stay(enter(given.features, routes, sites), here, sites)
            given = SparseMap(features, to.voxel, to.shape)
        return given
