"""Everything that decides a CenterPoint on voxels."""

from __future__ import annotations

from pydantic import BaseModel, Field

from densegt.detection.train_config import STRICT


class CenterPointVoxelConfig(BaseModel):
    """See `CenterPointVoxel`.

    Attributes:
        voxel_m: side of a voxel on the ground; layers: of voxels, over the grid's height.
        sweeps: of the lidar, beside the keyframe's own, before it.
        widths: of the sparse convolutions at the voxels' size, a half, a quarter, ... of it; the last has the grid's.
        channels: of the dense map, of which one of half its size is made, and of the header.
        min_radius, min_overlap, heat, values, attributes, speed: see `CenterPointConfig`.
    """

    model_config = STRICT

    voxel_m: float = Field(default=0.125, gt=0)
    layers: int = Field(default=32, ge=1)
    sweeps: int = Field(default=9, ge=0, le=40)
    widths: tuple[int, ...] = (16, 32, 64)
    channels: int = Field(default=64, ge=1)
    min_radius: int = Field(default=2, ge=0)
    min_overlap: float = Field(default=0.2, gt=0, le=1)
    heat: float = Field(default=1.0, ge=0)
    values: float = Field(default=0.5, ge=0)
    attributes: float = Field(default=0.1, ge=0)
    speed: float = Field(default=1.0, ge=0)
