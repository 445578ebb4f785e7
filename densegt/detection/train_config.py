"""What every training of a detector is decided by."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from densegt.datasets.detection_classes import CLASSES
from densegt.detection.data.augment import Augmentation, BevRanges, ImageRanges
from densegt.detection.data.batch import Supervision
from densegt.detection.depth_head.depth_target import Patch
from densegt.detection.losses import DepthLoss

STRICT = ConfigDict(frozen=True, extra="forbid")
Range = tuple[float, float]
# Of a network's input; larger ones are a slip, or a file that asks for all memory.
MAX_INPUT_PX = 2**22


def check_input_size(size: tuple[int, int], stride: int) -> None:
    """Refuse (height, width) px that a network of this stride cannot take.

    Raises:
        ValueError: it can not.
    """
    if any(side % (2 * stride) for side in size):
        raise ValueError(f"size {size} is no multiple of twice the stride {stride}")
    if min(size) < 1 or size[0] * size[1] > MAX_INPUT_PX:
        raise ValueError(f"size {size}: at most {MAX_INPUT_PX} px are taken")


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


class DetectorConfig(BaseModel):
    """Configuration that all detectors share.

    Attributes:
        min_points, categories: see `LabelOptions`; `categories: {my.car: car}`.
        split: `share` holds out the last scenes, `official` those that the recording's own split holds out.
        validation_share: of the scenes.
        keep_images: as many decoded images stay in memory, in each process.
        threads: of each process; 0 leaves it to torch.
        sync_batch_norm: over all GPUs.
    """

    model_config = STRICT

    seed: int = 0
    epochs: int = Field(default=24, ge=1)
    batch: int = Field(default=8, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=1e-2, ge=0)
    clip_gradient: float = Field(default=5.0, gt=0)
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    min_points: int = Field(default=1, ge=0)
    categories: dict[str, str] = {}
    split: Literal["share", "official"] = "share"
    validation_share: float = Field(default=0.2, gt=0, lt=1)
    validate_every: int = Field(default=1, ge=1, description="epochs; the last one always is")
    loader_processes: int = Field(default=2, ge=0, le=256)
    keep_images: int = Field(default=0, ge=0)
    threads: int = Field(default=0, ge=0, le=1024)
    sync_batch_norm: bool = False

    @field_validator("categories")
    @classmethod
    def _classes(cls, categories: dict[str, str]) -> dict[str, str]:
        for category, name in categories.items():
            if name not in CLASSES:
                raise ValueError(f"{category}: {name} is no class; there is {', '.join(CLASSES)}")
        return categories

    @property
    @abstractmethod
    def detector(self) -> str:
        """Its name in the registry."""


class KeyframeDetectorConfig(DetectorConfig):
    """Configuration of detectors that look at all of a keyframe.

    Attributes:
        supervision: see `DatasetOptions`.
        depth_target: what is asked of a cell, of sparse depth as of dense, or the two could not be compared; see
            `depth_target`.
    """

    supervision: Supervision = "none"
    depth_target: Patch = "mode"
    depth_loss: DepthLoss = "ce"
    augmentation: AugmentationConfig = AugmentationConfig()

    @field_validator("depth_target", mode="before")
    @classmethod
    def _auto_is_mode(cls, value: Any) -> Any:
        """Checkpoints of before there was one rule for all depth say `auto`."""
        return "mode" if value == "auto" else value
