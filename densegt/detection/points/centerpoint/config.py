"""Everything that decides a CenterPoint."""

from __future__ import annotations

from pydantic import Field

from densegt.detection.points.centerpoint.centre_config import CentreConfig


class CenterPointConfig(CentreConfig):
    """See `CenterPoint`, and `CentreConfig` for the rest.

    Attributes:
        pillar_m: side of a pillar on the ground.
        sweeps: of the lidar, beside the keyframe's own, before it; points of depth maps are of one moment.
        features: of a pillar.
        widths, blocks: of the residual stages at the pillars' size, a half, a quarter, ... of it.
        channels: of the merged map, whose cells are the grid's, and of the header.
    """

    pillar_m: float = Field(default=0.2, gt=0)
    sweeps: int = Field(default=9, ge=0, le=40)
    features: int = Field(default=64, ge=1)
    widths: tuple[int, ...] = (64, 64, 128, 256)
    blocks: int = Field(default=2, ge=1)
    channels: int = Field(default=64, ge=1)
