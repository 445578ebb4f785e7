"""Everything that decides a training of a Lift-Splat detector."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from densegt.detection.bev.model_config import ModelConfig
from densegt.detection.train_config import STRICT, KeyframeDetectorConfig


class LossWeights(BaseModel):
    """Of the parts of the loss; 0 leaves a part out. fine and edges are of `fine_depth` alone."""

    model_config = STRICT

    vehicles: float = Field(default=1.0, ge=0)
    heat: float = Field(default=1.0, ge=0)
    values: float = Field(default=0.25, ge=0)
    attributes: float = Field(default=0.2, ge=0)
    depth: float = Field(default=1.0, ge=0)
    fine: float = Field(default=1.0, ge=0)
    edges: float = Field(default=1.0, ge=0)


class LssConfig(KeyframeDetectorConfig):
    """Configuration of `densegt train-lss`; see `KeyframeDetectorConfig` for the rest.

    Attributes:
        depth_label: `soft` is shared by the two bins or samples that the depth lies between, `hard` is one bin.
        vehicle_weight: of a vehicle's cell against an empty one.
        min_radius: of a heat spot, in cells.
        draw_cameras: so many of each keyframe, 0 for all.
    """

    weight_decay: float = Field(default=1e-7, ge=0)
    schedule: Literal["constant", "one-cycle"] = "one-cycle"
    model: ModelConfig = ModelConfig()
    depth_label: Literal["soft", "hard"] = "soft"
    vehicle_weight: float = Field(default=2.13, gt=0)
    min_radius: int = Field(default=2, ge=0)
    weights: LossWeights = LossWeights()
    draw_cameras: int = Field(default=0, ge=0)

    @property
    def detector(self) -> str:
        """Its name in the registry."""
        return "lss"
