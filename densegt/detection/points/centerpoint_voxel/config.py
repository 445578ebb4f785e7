"""Everything that decides a CenterPoint on voxels."""

from __future__ import annotations

from pydantic import Field

from densegt.detection.points.centerpoint.centre_config import CentreConfig


class CenterPointVoxelConfig(CentreConfig):
    """See `CenterPointVoxel`, and `CentreConfig` for the rest.

    Attributes:
        voxel_m: side of a voxel on the ground; layers: of voxels, over the grid's height.
        sweeps: of the lidar, beside the keyframe's own, before it.
        widths: of the sparse convolutions at the voxels' size, a half, a quarter, ... of it; the last has the grid's.
        channels: of the dense map, of which one of half its size is made, and of the header.
    """

    voxel_m: float = Field(default=0.125, gt=0)
    layers: int = Field(default=32, ge=1)
    sweeps: int = Field(default=9, ge=0, le=40)
    widths: tuple[int, ...] = (16, 32, 64)
    channels: int = Field(default=64, ge=1)
