"""Everything that decides how a detector is quantised."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

Target = Literal["cpu", "tensorrt"]
Method = Literal["float", "max-min", "percentile", "grid", "rounding", "full"]
# Each holds what the one before it does, but for percentile, which is an alternative.
METHODS: tuple[Method, ...] = get_args(Method)


class QuantiseConfig(BaseModel):
    """Configuration of `densegt quantise`.

    Attributes:
        target: `cpu` takes unsigned activations with a zero point, as onnxruntime is fast with; `tensorrt` signed ones
            about zero.
        method: `max-min` takes the ranges as they are; `percentile` cuts them; `grid` shrinks each by what serves the
            layer's output; `rounding` then learns where weights are rounded to, and the scales, layer by layer's
            output; `full` learns by what the detector finds as well. `float` quantises nothing.
        weight_bits: of 7 no sum of two products overflows 16 bits, at which processors without VNNI clip it.
        keep_float: as many layers, the worst, stay as they are.
        frames: keyframes to calibrate with, spread over all scenes.
        percentile: of all values of a tensor, kept.
        factors: tried of each range; grid_frames: to try them on.
        steps: of learning, each on one keyframe; rounding_rate, scale_rate: of Adam.
        local, positives, everywhere, rounding: weights of the loss; see `learning`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: Target = "cpu"
    method: Method = "full"
    weight_bits: Literal[7, 8] = 8
    keep_float: int = Field(default=0, ge=0)
    frames: int = Field(default=32, ge=1)
    percentile: float = Field(default=99.99, gt=50, le=100)
    factors: int = Field(default=37, ge=2)
    least_factor: float = Field(default=0.1, gt=0, lt=1)
    grid_frames: int = Field(default=12, ge=1)
    steps: int = Field(default=600, ge=1)
    rounding_rate: float = Field(default=1e-2, gt=0)
    scale_rate: float = Field(default=3e-3, ge=0)
    local: float = Field(default=1.0, ge=0)
    positives: float = Field(default=1.0, ge=0)
    everywhere: float = Field(default=10.0, ge=0)
    rounding: float = Field(default=1e-4, ge=0)
    seed: int = Field(default=0, ge=0)
