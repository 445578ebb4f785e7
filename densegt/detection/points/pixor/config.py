"""Everything that decides a PIXOR."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from densegt.detection.train_config import STRICT


class PixorConfig(BaseModel):
    """See `Pixor`.

    Attributes:
        cell_m: side of a voxel on the ground; layers: how many stand on each other, from the grid's z_min_m to z_max_m.
        quantisation: `soft` passes gradients to the points, `hard` none.
        sigma_m: of the soft one; 0 takes cell_m, as published.
        stem: channels at the voxels' own size; widths, blocks: of the residual stages at a half, a quarter, ... of it.
        channels: of the merged map, whose cells are the grid's, and of the header.
        inner, outer: a cell in the middle of a box, up to this share of its length and width, is asked for the box;
            one beyond the inner share and within the outer one is asked nothing.
        min_overlap: of two boxes of a class whose IoU from above is larger the less likely one is dropped.
        heat, values, attributes: weights of the losses.
    """

    model_config = STRICT

    cell_m: float = Field(default=0.25, gt=0)
    layers: int = Field(default=20, ge=1)
    quantisation: Literal["soft", "hard"] = "soft"
    sigma_m: float = Field(default=0.0, ge=0)
    stem: int = Field(default=32, ge=1)
    widths: tuple[int, ...] = (64, 128, 192)
    blocks: int = Field(default=2, ge=1)
    channels: int = Field(default=96, ge=1)
    inner: float = Field(default=0.7, gt=0)
    outer: float = Field(default=1.1, gt=0)
    min_overlap: float = Field(default=0.1, gt=0, le=1)
    heat: float = Field(default=1.0, ge=0)
    values: float = Field(default=1.0, ge=0)
    attributes: float = Field(default=0.1, ge=0)
