"""Everything that decides a training of a detector on pseudo-LiDAR."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator

from densegt.detection.bev.model_config import BinsConfig, GridConfig
from densegt.detection.data.batch import Supervision
from densegt.detection.points.centerpoint.config import CenterPointConfig
from densegt.detection.points.centerpoint_voxel.config import CenterPointVoxelConfig
from densegt.detection.points.pixor.config import PixorConfig
from densegt.detection.points.pointrcnn.config import PointRcnnConfig
from densegt.detection.points.pseudo_lidar.sparsify import BeamPattern
from densegt.detection.train_config import STRICT, KeyframeDetectorConfig, check_input_size

Input = Literal["pseudo", "lidar", "store"]
Coupling = Literal["frozen", "separate", "end-to-end"]
# That PIXOR sorts points into: a quarter of a gigabyte.
MAX_VOXELS = 2**26


class DepthConfig(BaseModel):
    """The depth net; see `ModelConfig` of train-lss for what has the same name.

    Attributes:
        blocks: of the residual kind, between the backbone's features and the bins.
        points_stride: px of the image to a point; depth is interpolated between the cells of the feature map.
        scale: what depth is multiplied by. Other than 1 it is wrong on purpose, to see what becomes of that.
    """

    model_config = STRICT

    stride: Literal[4, 8, 16] = 8
    backbone: str = "small"
    backbone_widths: tuple[int, ...] = (32, 64, 128, 192)
    pretrained: bool = False
    features: int = Field(default=128, ge=1)
    blocks: int = Field(default=2, ge=0)
    camera_aware: bool = False
    bins: BinsConfig = BinsConfig(kind="LID", min_m=1, max_m=80, count=80)
    points_stride: Literal[1, 2, 4, 8] = 2
    scale: float = Field(default=1.0, gt=0)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.points_stride > self.stride:
            raise ValueError(f"points of {self.points_stride} px are coarser than the depth net's cells, {self.stride}")
        return self


class SpinConfig(BaseModel):
    """See `BeamPattern`; nuScenes' lidar by default. `beams: 0` keeps every point."""

    model_config = STRICT

    beams: int = Field(default=32, ge=0, le=1024)
    columns: int = Field(default=1080, ge=1, le=16384)
    min_elevation_deg: float = -30.67
    max_elevation_deg: float = 10.67
    min_range_m: float = Field(default=1.0, ge=0)
    max_range_m: float = Field(default=100.0, gt=0)
    height_m: float = 1.84

    def made(self) -> BeamPattern | None:
        """The lidar; None for none."""
        return BeamPattern(**self.model_dump()) if self.beams else None


class PlModelConfig(BaseModel):
    """The depth net and the detector.

    Attributes:
        size: (height, width) px of the images.
        input: where points come from: a depth net's depth (`pseudo`), the keyframe's own sweep (`lidar`), or the
            depth store (`store`): the last two are what a perfect depth net would be worth.
        grid: the detector's answers, and the extent of its voxels.
        spin: how points are thinned; a real lidar's are not.
    """

    model_config = STRICT

    size: tuple[int, int] = (256, 704)
    input: Input = "pseudo"
    depth: DepthConfig = DepthConfig()
    spin: SpinConfig = SpinConfig()
    grid: GridConfig = GridConfig(half_m=50, cell_m=0.5, z_min_m=-2, z_max_m=4)
    detector: Literal["pixor", "pointrcnn", "centerpoint", "centerpoint-voxel"] = "pixor"
    pixor: PixorConfig = PixorConfig()
    pointrcnn: PointRcnnConfig = PointRcnnConfig()
    centerpoint: CenterPointConfig = CenterPointConfig()
    centerpoint_voxel: CenterPointVoxelConfig = CenterPointVoxelConfig()

    @model_validator(mode="after")
    def _sound(self) -> Self:
        check_input_size(self.size, self.depth.stride)
        voxels = (2 * self.grid.half_m / self.pixor.cell_m) ** 2 * self.pixor.layers
        if not voxels <= MAX_VOXELS:
            raise ValueError(f"{voxels:.0f} voxels of {self.pixor.cell_m} m; at most {MAX_VOXELS} are taken")
        return self


class PlWeights(BaseModel):
    """Of the parts of the loss.

    Attributes:
        bins: cross-entropy of the depth net's bins.
        metres: smooth L1 of its depth in m, as published.
        detection: all of the detector's; published with a tenth.
    """

    model_config = STRICT

    bins: float = Field(default=1.0, ge=0)
    metres: float = Field(default=0.1, ge=0)
    detection: float = Field(default=1.0, ge=0)


class PlConfig(KeyframeDetectorConfig):
    """Configuration of `densegt train-pl`; see `KeyframeDetectorConfig` for the rest.

    Attributes:
        coupling: `frozen` leaves the depth net as it is; `separate` has it learn from depth alone and the detector from
            boxes alone; `end-to-end` lets the detector's gradient through to the depth net.
        depth_rate: of the depth net's learning rate to the detector's.
    """

    batch: int = Field(default=4, ge=1)
    depth_rate: float = Field(default=1.0, gt=0)
    clip_gradient: float = Field(default=10.0, gt=0)
    model: PlModelConfig = PlModelConfig()
    coupling: Coupling = "separate"
    supervision: Supervision = "sparse"
    weights: PlWeights = PlWeights()

    @property
    def detector(self) -> str:
        """Its name in the registry."""
        return self.model.detector
