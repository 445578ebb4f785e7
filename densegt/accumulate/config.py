"""Everything that decides the output, checked when it is read; saved with each store."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LidarConfig(_Strict):
    """How the lidar spins; see `SpinModel`. `model: auto` works it out from the recording."""

    model: Literal["auto", "nuscenes", "kitti", "custom"] = "auto"
    clockwise: bool = True
    period_s: float = Field(default=0.05, gt=0)
    seam_deg: float = 110.0
    stamp_fraction: float = 1.0
    compensated: bool = True


class EgoConfig(_Strict):
    """The recording car's own body in ego (x ahead, y left, z up, metres); returns inside are dropped."""

    min_xyz_m: tuple[float, float, float] = (-1.6, -1.15, 0.15)
    max_xyz_m: tuple[float, float, float] = (4.0, 1.15, 2.3)
    min_range_m: float = 1.5


class TracksConfig(_Strict):
    """How boxes become motion and claim points."""

    moving_m: float = Field(default=0.75, description="a track that stays within this radius stands still")
    max_extrapolation_s: float = 0.5
    max_gap_s: float = 1.6
    margin_m: float = Field(default=0.15, description="boxes are widened by this much, sideways and up")
    ground_clearance_m: float = Field(
        default=0.12, description="the lowest slice of a moving box, left out: wheels or road?"
    )
    deforming_window_s: float = Field(default=0.6, description="people and two-wheelers: only points this near in time")


class FreeSpaceConfig(_Strict):
    """Which static points other sweeps' beams refute. Sweeps are counted from the one that measured the point."""

    sweeps: tuple[int, ...] = (1, 2, 3, 5, 8, 12, 20, 30, 45, 60)
    margin_m: float = 0.3
    margin_relative: float = 0.02
    min_passed: int = 2
    passed_share: float = 0.15
    columns: int = 1080
    max_answer_m: float = 40.0
    min_elevation_deg: float = -15.0
    asked_sweeps: int = 3


class SurfaceConfig(_Strict):
    """The patch each return stands for, and how it hides what lies behind."""

    max_slope: float = 2.0
    max_half_m: float = 0.4
    baseline_m: float = 0.25
    min_cosine: float = 0.94
    hide_relative: float = 0.03
    hide_absolute_m: float = 0.1
    fill_tolerance: float = 0.01
    range_noise_m: float = 0.03
    fringe_share: float = 0.5
    weak_share: float = 0.15
    enclosing_rad: float = 0.02
    max_reach_rad: float = 0.0063
    max_gap_deg: float = Field(default=1.33, description="nothing is filled across more: a 32-beam lidar's ring gap")


class AccumulateConfig(_Strict):
    """Configuration of `densegt accumulate`.

    Attributes:
        motion: auto carries annotated objects along their tracks and shows what other sweeps refute at its own time
            only; boxes does without the latter, free without boxes, none without both.
        window_s: sweeps this far before and after each exposure; None is the whole scene.
        surface: also fill between measured pixels of one surface.
    """

    motion: Literal["auto", "boxes", "free", "none"] = "auto"
    window_s: float | None = Field(default=None, ge=0)
    surface: bool = True
    max_depth_m: float = Field(default=120.0, gt=0, le=255)
    lidar: LidarConfig = LidarConfig()
    ego: EgoConfig = EgoConfig()
    tracks: TracksConfig = TracksConfig()
    free_space: FreeSpaceConfig = FreeSpaceConfig()
    patches: SurfaceConfig = SurfaceConfig()
