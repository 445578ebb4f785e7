"""Everything that decides a training of a Lift-Splat detector."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from densegt.detection.bev.model_config import STRICT, ModelConfig
from densegt.detection.data.augment import Augmentation, BevRanges, ImageRanges
from densegt.detection.data.dataset import Supervision
from densegt.detection.depth_head.depth_target import Patch
from densegt.detection.losses import DepthLoss

Range = tuple[float, float]


class AugmentationConfig(BaseModel):
    """See `ImageRanges` and `BevRanges`."""

    model_config = STRICT

    scale: Range = (1.0, 1.0)
    bottom: Range = (0.0, 0.0)
    turn_deg: Range = (0.0, 0.0)
    flip: float = Field(default=0.0, ge=0, le=1)
    shift: bool = False
    bev_turn_deg: Range = (0.0, 0.0)
    bev_scale: Range = (1.0, 1.0)
    bev_flip: float = Field(default=0.0, ge=0, le=1)

    def made(self) -> Augmentation:
        """The ranges."""
        return Augmentation(
            ImageRanges(self.scale, self.bottom, self.turn_deg, self.flip, self.shift),
            BevRanges(self.bev_turn_deg, self.bev_scale, self.bev_flip, self.bev_flip),
        )


class Weights(BaseModel):
    """Of the parts of the loss; 0 leaves a part out. fine and edges are of `fine_depth` alone."""

    model_config = STRICT

    vehicles: float = Field(default=1.0, ge=0)
    heat: float = Field(default=1.0, ge=0)
    values: float = Field(default=0.25, ge=0)
    attributes: float = Field(default=0.2, ge=0)
    depth: float = Field(default=1.0, ge=0)
    fine: float = Field(default=1.0, ge=0)
    edges: float = Field(default=1.0, ge=0)


class LssConfig(BaseModel):
    """Configuration of `densegt train-lss`.

    Attributes:
        supervision: see `NuScenesDepth`.
        depth_target: what is asked of a cell; `auto` is `nearest` for sparse depth and `mode` for all other.
        depth_label: `soft` is shared by the two bins or samples that the depth lies between, `hard` is one bin.
        vehicle_weight: of a vehicle's cell against an empty one.
        split: `share` holds out the last scenes, `official` those of nuScenes' validation set.
        validation_share: of the scenes.
        draw_cameras: so many of each keyframe, 0 for all.
        min_radius: of a heat spot, in cells.
        keep_images: as many decoded images stay in memory, in each process.
        threads: of each process; 0 leaves it to torch.
        sync_batch_norm: over all GPUs.
    """

    model_config = STRICT

    seed: int = 0
    epochs: int = Field(default=24, ge=1)
    batch: int = Field(default=8, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=1e-7, ge=0)
    schedule: Literal["constant", "one-cycle"] = "one-cycle"
    clip_gradient: float = Field(default=5.0, gt=0)
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    model: ModelConfig = ModelConfig()
    supervision: Supervision = "none"
    depth_target: Literal["auto"] | Patch = "auto"
    depth_label: Literal["soft", "hard"] = "soft"
    depth_loss: DepthLoss = "ce"
    vehicle_weight: float = Field(default=2.13, gt=0)
    min_radius: int = Field(default=2, ge=0)
    weights: Weights = Weights()
    augmentation: AugmentationConfig = AugmentationConfig()
    draw_cameras: int = Field(default=0, ge=0)
    min_points: int = Field(default=1, ge=0)
    split: Literal["share", "official"] = "share"
    validation_share: float = Field(default=0.2, gt=0, lt=1)
    validate_every: int = Field(default=1, ge=1, description="epochs; the last one always is")
    loader_processes: int = Field(default=2, ge=0)
    keep_images: int = Field(default=0, ge=0)
    threads: int = Field(default=0, ge=0)
    sync_batch_norm: bool = False

    @property
    def patch(self) -> Patch:
        """What is asked of a cell."""
        if self.depth_target != "auto":
            return self.depth_target
        return "nearest" if self.supervision == "sparse" else "mode"
