"""Everything that decides a CenterPoint."""

from __future__ import annotations

from pydantic import BaseModel, Field

from densegt.detection.train_config import STRICT


class CenterPointConfig(BaseModel):
    """See `CenterPoint`.

    Attributes:
        pillar_m: side of a pillar on the ground.
        sweeps: of the lidar, beside the keyframe's own, before it; points of depth maps are of one moment.
        features: of a pillar.
        widths, blocks: of the residual stages at the pillars' size, a half, a quarter, ... of it.
        channels: of the merged map, whose cells are the grid's, and of the header.
        min_radius: of a heat spot, in cells.
        min_overlap: of two boxes of a class whose IoU from above is larger the less likely one is dropped.
        heat, values, attributes: weights of the losses.
        speed: of velocity among the values. Several sweeps show it, and with the 0.2 that is customary it is learned
            so late that a short training ends before.
    """

    model_config = STRICT

    pillar_m: float = Field(default=0.2, gt=0)
    sweeps: int = Field(default=9, ge=0, le=40)
    features: int = Field(default=64, ge=1)
    widths: tuple[int, ...] = (64, 64, 128, 256)
    blocks: int = Field(default=2, ge=1)
    channels: int = Field(default=64, ge=1)
    min_radius: int = Field(default=2, ge=0)
    min_overlap: float = Field(default=0.2, gt=0, le=1)
    heat: float = Field(default=1.0, ge=0)
    values: float = Field(default=0.5, ge=0)
    attributes: float = Field(default=0.1, ge=0)
    speed: float = Field(default=1.0, ge=0)
