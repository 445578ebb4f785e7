"""Everything that decides the network's shape."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, Field, model_validator

from densegt.detection.bev.grid import BevGrid
from densegt.detection.depth_head.bins import Bins, Kind
from densegt.detection.depth_head.edge_aware import ENLARGED
from densegt.detection.depth_head.sampling import Name
from densegt.detection.train_config import STRICT, check_input_size

# Of the ground plane; at 64 channels they take a quarter of a gigabyte.
MAX_CELLS = 2**20


class BinsConfig(BaseModel):
    """See `Bins`; LSS's by default, of which BEVDepth takes 2 to 58 m in 112."""

    model_config = STRICT

    kind: Kind = "UD"
    min_m: float = 4.0
    max_m: float = 45.0
    count: int = 41

    def made(self) -> Bins:
        """The bins."""
        return Bins(self.kind, self.min_m, self.max_m, self.count)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        self.made()
        return self


class GridConfig(BaseModel):
    """A square ground plane about ego: from -half_m to half_m in x and y; z_min_m to z_max_m is one layer."""

    model_config = STRICT

    half_m: float = Field(default=50.0, gt=0)
    cell_m: float = Field(default=0.5, gt=0)
    z_min_m: float = -10.0
    z_max_m: float = 10.0

    def made(self) -> BevGrid:
        """The grid."""
        h = self.half_m
        return BevGrid(-h, h, -h, h, self.cell_m, self.z_min_m, self.z_max_m)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.made().cells > MAX_CELLS:
            raise ValueError(f"{self.made().cells} cells of {self.cell_m} m; at most {MAX_CELLS} are taken")
        return self


class ModelConfig(BaseModel):
    """The network.

    Attributes:
        size: (height, width) px of its input.
        stride: px to a cell of the feature map that is laid down.
        backbone: `small` or a name; see `Backbone`. backbone_widths are the small one's.
        features: channels that the backbone gives; context: channels laid down.
        camera_aware: depth net of BEVDepth, of depth_width channels, else that of LSS.
        fine_depth: in training ask for depth at an eighth of the stride too, and for more of it at edges; see
            `edge_aware`.
        sampling, samples: see `build_sampler`.
        frames: 2 takes the keyframe before as well.
        edge_input: the keyframe's own sweep and its jumps are an input (EA-LSS), so that a lidar is needed ever after.
        bev_widths, bev_blocks, bev_channels: see `Pyramid`.
    """

    model_config = STRICT

    size: tuple[int, int] = (128, 352)
    stride: Literal[4, 8, 16] = 16
    backbone: str = "small"
    backbone_widths: tuple[int, ...] = (16, 32, 64, 128, 192)
    pretrained: bool = False
    features: int = Field(default=128, ge=1)
    context: int = Field(default=64, ge=1)
    camera_aware: bool = False
    depth_width: int = Field(default=128, ge=1)
    fine_depth: bool = False
    bins: BinsConfig = BinsConfig()
    grid: GridConfig = GridConfig()
    sampling: Name = "fixed"
    samples: int = Field(default=16, ge=1, le=1024)
    frames: Literal[1, 2] = 1
    edge_input: bool = False
    bev_widths: tuple[int, ...] = (64, 128, 256)
    bev_blocks: int = Field(default=2, ge=1)
    bev_channels: int = Field(default=64, ge=1)

    @model_validator(mode="before")
    @classmethod
    def _bins_by_kind(cls, values: Any) -> Any:
        """`bins: LID` is those bins with the default's other numbers."""
        if isinstance(values, dict) and isinstance(values.get("bins"), str):
            return {**values, "bins": {"kind": values["bins"]}}
        return values

    @model_validator(mode="after")
    def _sound(self) -> Self:
        check_input_size(self.size, self.stride)
        if self.fine_depth and self.stride < ENLARGED:
            raise ValueError(f"fine_depth enlarges cells of {self.stride} px {ENLARGED} times")
        return self
