"""Everything that decides the output, checked when it is read; saved with each store."""

from __future__ import annotations

from typing import Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LidarConfig(_Strict):
    """How the lidar spins; see `SpinModel`. `model: auto` works it out from the recording."""

    model: Literal["auto", "nuscenes", "kitti", "custom"] = "auto"
    clockwise: bool = True
    period_s: float = Field(default=0.05, gt=0)
    scan_start_azimuth_deg: float = Field(
        default=110.0, validation_alias=AliasChoices("scan_start_azimuth_deg", "seam_deg")
    )
    stamp_fraction: float = 1.0
    compensated: bool = True


class EgoConfig(_Strict):
    """The recording car's own body in ego (x ahead, y left, z up, metres); returns inside are dropped."""

    min_xyz_m: tuple[float, float, float] = (-1.6, -1.15, 0.15)
    max_xyz_m: tuple[float, float, float] = (4.0, 1.15, 2.3)
    min_range_m: float = 1.5


class RefineTracksConfig(_Strict):
    """How labelled dynamic objects are registered to their own points.

    Attributes:
        margin_m, margin_share, ground_clearance_m: points of a box widened by this on each side, after its size by
            that share, take part, but for those in its lowest slice.
        sigma_m, sigma_deg: how far boxes are off, x, y, z and yaw.
        points: so many are fitted, and so many held out to validate the fit.
        coarse_m, fine_m: residuals beyond this count little, in the first of the iterations and in the last.
        pair_sigma_m: how far points of one surface lie apart.
        min_gain: share of the misfit that a correction must take away; less than `max_m` at that.
    """

    enabled: bool = True
    margin_m: float = 0.35
    margin_share: float = 0.1
    ground_clearance_m: float = 0.3
    sigma_m: tuple[float, float, float] = (0.1, 0.1, 0.05)
    sigma_deg: float = 1.0
    min_points: int = 40
    points: int = 1500
    neighbours: int = 6
    reach_m: float = 0.4
    apart_s: float = 0.04
    deforming_within_s: float = 0.6
    min_cosine: float = 0.8
    iterations: int = 6
    coarse_m: float = 0.2
    fine_m: float = 0.06
    pair_sigma_m: float = 0.06
    min_gain: float = 0.03
    max_m: float = 0.6


class BoxTimeConfig(_Strict):
    """The time at which an annotated box is valid: its keyframe's stamp, or when the beam passed the object.

    Attributes:
        model: auto takes the stamp unless at least `min_points` points, and `clearly` times as many as the other way
            round, are in the boxes as annotated but not in the boxes carried to each point's own time.
    """

    model: Literal["auto", "stamp", "azimuth"] = "auto"
    min_points: int = 50
    clearly: float = 1.0


class TracksConfig(_Strict):
    """How annotated boxes become tracks, and which points belong to them."""

    moving_m: float = Field(default=0.75, description="a track that stays within this radius stands still")
    max_extrapolation_s: float = 0.5
    max_gap_s: float = 1.6
    margin_m: float = Field(default=0.15, description="boxes are widened by this much, sideways and up")
    ground_clearance_m: float = Field(
        default=0.12, description="the lowest slice of a moving box, left out: wheels or road?"
    )
    deforming_window_s: float = Field(default=0.4, description="people and two-wheelers: only points this near in time")
    box_time: BoxTimeConfig = BoxTimeConfig()
    refine: RefineTracksConfig = RefineTracksConfig()


class FreeSpaceConfig(_Strict):
    """Which static points violate other sweeps' free space.

    Attributes:
        sweeps: the sweeps used, counted from the one that measured the point; in turns of the main lidar.
    """

    sweeps: tuple[int, ...] = (1, 2, 3, 5, 8, 12, 20, 30, 45, 60)
    margin_m: float = 0.3
    margin_relative: float = 0.02
    min_passed: int = 2
    passed_share: float = 0.15
    columns: int = 1080
    max_answer_m: float = 40.0
    min_elevation_deg: float = -15.0
    asked_sweeps: int = 3


class SurfelConfig(_Strict):
    """The surfel each return stands for, and how it hides what lies behind."""

    max_slope: float = 2.0
    max_half_m: float = 0.4
    baseline_m: float = 0.25
    min_cosine: float = 0.94
    hide_relative: float = 0.03
    hide_absolute_m: float = 0.1
    fill_tolerance: float = 0.03
    range_noise_m: float = 0.03
    weak_share: float = 0.15
    enclosing_rad: float = 0.02
    max_reach_rad: float = 0.008
    crowd: float = Field(default=2.0, gt=0, description="where more points crowd a pixel, some are left out")
    layers: float = Field(default=10.0, gt=0, description="where more surfels lie over one another, some are left out")
    finest_rad: float = Field(default=0.0015, gt=0, description="surfaces are worked out on pixels no finer than this")
    pinhole_px: int = Field(default=12, ge=0, description="holes of so many pixels are filled where their rim agrees")
    retro_intensity: float = Field(default=150.0, gt=0, description="least intensity, of 255, of a retroreflector")
    bloom_share: float = Field(default=0.5, gt=0, le=1, description="blooming has less than this share of that")
    bloom_beams: tuple[int, int] = Field(
        default=(3, 1), description="it reaches so many beams along a ring, across rings"
    )
    max_gap_deg: float = Field(
        default=1.33, description="nothing is filled across more, or than a lidar's own ring gap where that is wider"
    )


class GlassConfig(_Strict):
    """What is answered where a lidar looks through a pane within a plane frame.

    Attributes:
        show: the pane's own surface, what lies through it, or unknown.
        behind_m, behind_relative: the frame is nearer than what is seen in it by more than behind_m plus this share.
        agree: greatest departure of the frame's sides from one plane, relative in inverse depth.
        agree_body, least_body_m, longest_m: the same, and the size of a pane, within the box of an annotated vehicle.
        least_m, widest_m, highest_m: size of a pane.
        least_doubtful_m: the same, of what is unknown because it may be a pane.
        farthest_m: what is seen beyond is left alone; there an error of depth is as large as a room.
        least_returns: share of a pane's points that lie on it; an opening without glass has none.
        level_cosine: what is level is no room behind glass but ground seen between things.
    """

    show: Literal["surface", "through", "unknown"] = "surface"
    behind_m: float = 0.25
    behind_relative: float = 0.03
    agree: float = 0.05
    agree_body: float = 0.15
    least_body_m: float = 0.2
    longest_m: float = 8.0
    least_m: float = 0.35
    least_doubtful_m: float = 0.15
    widest_m: float = 5.0
    highest_m: float = 4.0
    farthest_m: float = 45.0
    least_returns: float = 0.03
    level_cosine: float = 0.8


class DiscoverConfig(_Strict):
    """How dynamic objects without annotation are detected among transient points."""

    min_height_m: float = Field(default=0.3, description="above the ground; lower points follow nothing")
    max_height_m: float = 4.5
    max_range_m: float = 75.0
    link_m: float = Field(default=0.8, description="points of a sweep closer than this are of one cluster")
    min_points: int = Field(default=6, description="a cluster with fewer begins no track")
    min_sweeps: int = 5
    window_s: float = Field(default=0.27, description="sweeps this near give a cluster's initial velocity")
    max_speed_mps: float = 35.0
    landed_share: float = Field(default=0.4, description="of a cluster, carried by its velocity onto other sweeps")
    sound_share: float = Field(default=0.93, description="of a cluster, that its velocity carries into no empty space")
    explained_share: float = Field(default=0.8, description="of a track's points, that its motion explains")
    gone_share: float = Field(
        default=0.6,
        description="of a track's points, that are transient; with fewer it may be a fence",
    )
    hardly_gone_share: float = Field(default=0.1, description="with fewer than these it is no fence either")
    thin_gone_share: float = Field(default=0.9, description="the same of what is long and thin")
    left_share: float = Field(
        default=0.04,
        description="of those, that the motion of a possible fence leaves in free space",
    )
    moving_m: float = Field(default=0.5, description="a track that stays within this radius stands still")
    patience_s: float = Field(default=0.5, description="a track that is not seen again for so long has ended")
    draw_in_m: float = Field(default=0.4, description="beside a track's box: points that may be its own")
    max_extrapolation_s: float = 0.15


class RefinePosesConfig(_Strict):
    """How the ego's path is adjusted to what it saw.

    Attributes:
        points: sampled from each sweep, nearer than `max_range_m`, outside moving boxes widened by `box_margin_m`.
        planes: at so many places a sweep the `neighbours` next points within `reach_m` shall be flat; every
            second place is held out for validation.
        flat: extent across a plane over the lesser of those along it, at most.
        sigma_m, sigma_deg: how far recorded poses are off, x, y, z and about x, y, z.
        plane_sigma_m: how far points of one plane lie off it.
        coarse_m, fine_m: residuals beyond this count little, in the first of the iterations and in the last.
        min_gain: share of the planes' thickness that a correction must take away.
    """

    points: int = 1500
    max_range_m: float = 45.0
    box_margin_m: float = 0.5
    planes: int = 370
    neighbours: int = 12
    reach_m: float = 0.5
    flat: float = 0.5
    sigma_m: tuple[float, float, float] = (0.05, 0.05, 0.1)
    sigma_deg: tuple[float, float, float] = (0.1, 0.1, 0.1)
    plane_sigma_m: float = 0.1
    iterations: int = 4
    coarse_m: float = 0.1
    fine_m: float = 0.05
    min_gain: float = 0.02
    min_sweeps: int = 4
    max_sweeps: int = Field(default=600, description="longer recordings keep their poses: memory grows as its square")
    min_planes: int = 500


class ConfidenceConfig(_Strict):
    """The least confidence that is shown, see `densegt.accumulation.render.confidence_model`."""

    least: float = Field(default=0.92, ge=0, le=1)
    least_measured: float = Field(
        default=0.985, ge=0, le=1, description="where measured pixels alone are wanted, of more than one sweep"
    )


class AccumulateConfig(_Strict):
    """Configuration of `densegt accumulate`.

    Attributes:
        motion: auto carries annotated objects along their tracks and shows transient points at their own time
            only; boxes does without the latter, free without boxes, none without both.
        window_s: depth is of sweeps this far before and after each exposure; None is the whole scene. Other sweeps
            still refine poses and tell what moves and what is free space.
        surface: also fill between measured pixels of one surface.
        refine_poses: adjust the recorded ego poses to what the sweeps saw, where they clearly agree better for it.
    """

    motion: Literal["auto", "boxes", "free", "none"] = "auto"
    window_s: float | None = Field(default=None, ge=0)
    surface: bool = True
    refine_poses: bool = True
    max_depth_m: float = Field(default=120.0, gt=0, le=255)
    lidar: LidarConfig = LidarConfig()
    ego: EgoConfig = EgoConfig()
    ego_poses: RefinePosesConfig = RefinePosesConfig()
    tracks: TracksConfig = TracksConfig()
    free_space: FreeSpaceConfig = FreeSpaceConfig()
    discover: DiscoverConfig = DiscoverConfig()
    # Stores written before 0.2 call it patches.
    surfels: SurfelConfig = Field(default=SurfelConfig(), validation_alias=AliasChoices("surfels", "patches"))
    glass: GlassConfig = GlassConfig()
    confidence: ConfidenceConfig = ConfidenceConfig()
