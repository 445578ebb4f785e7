"""Everything that decides a training of the completion network."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class TrainConfig(BaseModel):
    """Configuration of `densegt train-completion`.

    Attributes:
        draws: crops of each image an epoch.
        widths, blocks: of the network; see `Shape`.
        validation_share: of the scenes, or of a lone scene's keyframes, the last ones are held out.
        validation_images: as many of them are looked at, spread evenly.
        keep_images: as many decoded images stay in memory.
        threads: of each process; 0 leaves it to torch.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = 0
    epochs: int = Field(default=60, ge=1)
    draws: int = Field(default=4, ge=1)
    batch: int = Field(default=8, ge=1)
    crop: tuple[int, int] = Field(default=(256, 384), description="height and width in px")
    learning_rate: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=1e-4, ge=0)
    clip_gradient: float = Field(default=1.0, gt=0)
    widths: tuple[int, ...] = (32, 64, 96, 128)
    blocks: tuple[int, ...] = (1, 1, 1, 2)
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    validation_share: float = Field(default=0.2, gt=0, lt=1)
    validation_images: int = Field(default=60, ge=1)
    validate_every: int = Field(default=1, ge=1, description="epochs; the last one always is")
    loader_processes: int = Field(default=2, ge=0)
    keep_images: int = Field(default=0, ge=0)
    threads: int = Field(default=0, ge=0)
