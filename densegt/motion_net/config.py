"""Everything that decides the training of a motion network, and the network itself."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Fusion = Literal["motion-aware", "stacked", "differences"]
Labels = Literal["exact", "boxes", "lidarseg", "auto"]


class NetConfig(BaseModel):
    """A network, and what it is given.

    Attributes:
        scans: the one that is asked about and others before and after it, as many on each side.
        reach_m: of the square about the lidar; the network takes any other.
        farthest_s: the others lie evenly up to so far before and after.
        fusion: how scans are compared: learned of both and their difference; scans side by side; differences alone.
        free_space: whether points know how many sweeps looked through them and met them.
        width: channels of its finest maps.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    scans: int = Field(default=5, ge=1, le=21)
    reach_m: float = Field(default=32.0, gt=1, le=200)
    cell_m: float = Field(default=0.25, gt=0.05, le=2)
    farthest_s: float = Field(default=0.4, gt=0)
    fusion: Fusion = "motion-aware"
    free_space: bool = True
    width: int = Field(default=24, ge=8, le=256, multiple_of=8)

    @property
    def cells(self) -> int:
        """Cells along a side of the square, a multiple of 8."""
        return max(8, round(2 * self.reach_m / self.cell_m / 8) * 8)

    @property
    def gaps_s(self) -> tuple[float, ...]:
        """How far before, and how far after, the others lie."""
        each = (self.scans - 1) // 2
        return tuple(self.farthest_s * (k + 1) / each for k in range(each))


class MotionTrainConfig(BaseModel):
    """Configuration of `densegt train-motion`.

    Attributes:
        labels: what is learned from; see `densegt.motion_net.labels`.
        points: as many of a scan's points are asked about in a step, drawn at random; all of them make the maps.
        crop_m: a part of the scan is shown while learning, so far to each side of a place, most often of an object;
            None shows all that the network reaches.
        head_steps: before the whole network learns, its head does so many steps by points alone, without the map.
        every: only every so manyeth scan is asked about in an epoch, others each epoch.
        validation_share: of the scenes; the last ones are held out.
        validation_scans: as many of them are looked at, spread evenly.
        threads: of each process; 0 leaves it to torch.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    net: NetConfig = NetConfig()
    labels: Labels = "exact"
    seed: int = 0
    epochs: int = Field(default=12, ge=0, description="of the whole network; 0: its head alone learns")
    head_steps: int = Field(default=300, ge=0)
    every: int = Field(default=4, ge=1)
    points: int = Field(default=12000, ge=100)
    batch: int = Field(default=2, ge=1)
    crop_m: float | None = Field(default=None, gt=2)
    learning_rate: float = Field(default=3e-3, gt=0)
    weight_decay: float = Field(default=1e-3, ge=0)
    clip_gradient: float = Field(default=2.0, gt=0)
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    validation_share: float = Field(default=0.13, gt=0, lt=1)
    validation_scans: int = Field(default=24, ge=1)
    validate_every: int = Field(default=4, ge=1, description="epochs; the last one always is")
    threads: int = Field(default=0, ge=0)
