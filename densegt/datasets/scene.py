"""Scene, Sweep, Camera, Track: what every stage takes. Frozen; shapes are checked when they are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class LidarModel:
    """How a spinning lidar's turn relates to its time stamp.

    Attributes:
        clockwise: the turn's direction, seen from above.
        period_s: duration of one turn.
        seam_rad: azimuth in ego (0 ahead, left positive), seen from the lidar, where a turn begins and ends.
        stamp_fraction: where in the turn the stamp lies; 1 is its end.
        compensated: points are already moved to the ego pose at the stamp.
    """

    clockwise: bool = True
    period_s: float = 0.05
    seam_rad: float = float(np.deg2rad(110.0))
    stamp_fraction: float = 1.0
    compensated: bool = True


@dataclass(frozen=True)
class Sweep:
    """One turn of the lidar, points still on disk.

    Attributes:
        token: sample_data token.
        sample_token: the keyframe this sweep belongs to.
        timestamp_us: its stamp.
        T_ego_lidar, T_global_ego: (4,4) float64; the ego pose is the one at the stamp.
    """

    token: str
    sample_token: str
    is_keyframe: bool
    path: Path
    timestamp_us: int
    T_ego_lidar: Float64
    T_global_ego: Float64

    def __post_init__(self) -> None:
        _check_pose(self.T_ego_lidar, f"{self.path}: T_ego_lidar")
        _check_pose(self.T_global_ego, f"{self.path}: T_global_ego")

    @property
    def T_global_lidar(self) -> Float64:
        """Lidar to global at the stamp, (4,4)."""
        return self.T_global_ego @ self.T_ego_lidar


@dataclass(frozen=True)
class Points:
    """A sweep's returns as they stand in the file, non-finite ones removed.

    Attributes:
        xyz_lidar: (N,3) float32 m.
        intensity: (N,) float32.
        ring: (N,) uint8, the beam's index.
    """

    xyz_lidar: NDArray[np.float32]
    intensity: NDArray[np.float32]
    ring: NDArray[np.uint8]

    def __post_init__(self) -> None:
        n = len(self.xyz_lidar)
        if self.xyz_lidar.shape != (n, 3) or self.intensity.shape != (n,) or self.ring.shape != (n,):
            raise ValueError(
                f"points must be (N,3), (N,), (N,): {self.xyz_lidar.shape} {self.intensity.shape} {self.ring.shape}"
            )


@dataclass(frozen=True)
class Camera:
    """One exposure of one camera.

    Attributes:
        token: sample_data token.
        sample_token: the keyframe it belongs to.
        K: (3,3) float64 px.
        T_ego_cam, T_global_ego: (4,4) float64; the ego pose is the one at exposure.
    """

    token: str
    sample_token: str
    channel: str
    image_path: Path
    filename: str
    width_px: int
    height_px: int
    timestamp_us: int
    K: Float64
    T_ego_cam: Float64
    T_global_ego: Float64

    def __post_init__(self) -> None:
        _check_pose(self.T_ego_cam, f"{self.image_path}: T_ego_cam")
        _check_pose(self.T_global_ego, f"{self.image_path}: T_global_ego")
        if self.K.shape != (3, 3) or not np.isfinite(self.K).all() or self.K[0, 0] <= 0 or self.K[1, 1] <= 0:
            raise ValueError(f"{self.image_path}: K must be a finite (3,3) with positive focal lengths")
        if self.width_px <= 0 or self.height_px <= 0:
            raise ValueError(f"{self.image_path}: image size {self.width_px}x{self.height_px}")

    @property
    def T_global_cam(self) -> Float64:
        """Camera to global at exposure, (4,4)."""
        return self.T_global_ego @ self.T_ego_cam


@dataclass(frozen=True)
class Track:
    """An annotated object over a scene.

    Attributes:
        token: instance token.
        size_lwh_m: (3,) float64.
        timestamps_us: (M,) int64, increasing.
        T_global_box: (M,4,4) float64; box frame: x ahead, y left, z up, origin in the middle.
    """

    token: str
    category: str
    size_lwh_m: Float64
    timestamps_us: NDArray[np.int64]
    T_global_box: Float64

    def __post_init__(self) -> None:
        m = len(self.timestamps_us)
        if self.size_lwh_m.shape != (3,) or self.T_global_box.shape != (m, 4, 4) or m == 0:
            raise ValueError(f"track {self.token}: {m} stamps, poses {self.T_global_box.shape}, size {self.size_lwh_m}")
        if not np.isfinite(self.T_global_box).all() or not np.isfinite(self.size_lwh_m).all():
            raise ValueError(f"track {self.token}: a pose or size is not finite")
        if (np.diff(self.timestamps_us) <= 0).any():
            raise ValueError(f"track {self.token}: time stamps do not increase")


@dataclass(frozen=True)
class Scene:
    """A recording: sweeps and keyframe cameras in order of time, tracks, and the lidar's spin.

    Attributes:
        name: e.g. scene-0061.
        sweeps: every sweep, keyframes and between.
        cameras: the exposures that belong to keyframes.
        tracks: annotated objects, empty where there are no labels.
        read_points: reads one sweep's points from disk; raises InputError that names the file.
    """

    name: str
    sweeps: tuple[Sweep, ...]
    cameras: tuple[Camera, ...]
    tracks: tuple[Track, ...]
    spin: LidarModel
    read_points: Callable[[Sweep], Points]


def _check_pose(T: Float64, what: str) -> None:
    if T.shape != (4, 4) or not np.isfinite(T).all():
        raise ValueError(f"{what}: not a finite (4,4) pose")
