"""Scene, Lidar, Sweep, Points, Camera, Track: what every stage takes. Frozen; shapes are checked when they are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.lidar_model import LidarModel
from densegt.datasets.set_aside import SetAside
from densegt.geometry.distortion import Distortion

Float64 = NDArray[np.float64]


class ObjectKind(Enum):
    """What an object is, as far as its motion is concerned; each format's reader maps its own categories to it."""

    RIGID_VEHICLE = "rigid vehicle"
    PERSON = "person"
    TWO_WHEELER = "two-wheeler"
    TRAILER = "trailer"
    OTHER = "other"

    @property
    def deforms(self) -> bool:
        """Whether it changes its shape as it moves: a rigid motion explains it for a moment only."""
        return self in (ObjectKind.PERSON, ObjectKind.TWO_WHEELER)

    @property
    def can_move(self) -> bool:
        """Whether it may move by itself."""
        return self is not ObjectKind.OTHER


@dataclass(frozen=True)
class Lidar:
    """A lidar on the recording car.

    Attributes:
        T_ego_lidar: (4,4) float64.
        model: how it turns; None where the recording does not say, see `densegt.datasets.infer_lidar_model`.
    """

    channel: str
    T_ego_lidar: Float64
    model: LidarModel | None = None

    def __post_init__(self) -> None:
        _check_pose(self.T_ego_lidar, f"{self.channel}: T_ego_lidar")


@dataclass(frozen=True)
class Sweep:
    """One turn of one lidar, points still on disk.

    Attributes:
        token: its name in the recording, stable from one opening to the next.
        sample_token: the keyframe this sweep belongs to.
        lidar: which measured it; several lidars may lie in one file.
        timestamp_us: its stamp.
        T_global_ego: (4,4) float64, the ego pose at the stamp.
    """

    token: str
    sample_token: str
    is_keyframe: bool
    path: Path
    timestamp_us: int
    lidar: Lidar
    T_global_ego: Float64

    def __post_init__(self) -> None:
        _check_pose(self.T_global_ego, f"{self.path}: T_global_ego")

    @property
    def T_ego_lidar(self) -> Float64:
        """Lidar to ego, (4,4)."""
        return self.lidar.T_ego_lidar

    @property
    def T_global_lidar(self) -> Float64:
        """Lidar to global at the stamp, (4,4)."""
        return self.T_global_ego @ self.T_ego_lidar

    @property
    def lidar_model(self) -> LidarModel:
        """How its lidar turns.

        Raises:
            ValueError: nobody has said so, nor inferred it.
        """
        if self.lidar.model is None:
            raise ValueError(f"{self.path}: the model of lidar {self.lidar.channel} is not known")
        return self.lidar.model


@dataclass(frozen=True)
class Points:
    """A sweep's returns as they stand in the file, non-finite ones removed.

    Attributes:
        xyz_lidar: (N,3) float32 m.
        intensity: (N,) float32, 0 to 255.
        ring: (N,) uint16, the beam's index.
        time_s: (N,) float32 relative to the sweep's stamp; None where the lidar's model gives it.
    """

    xyz_lidar: NDArray[np.float32]
    intensity: NDArray[np.float32]
    ring: NDArray[np.uint16]
    time_s: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        n = len(self.xyz_lidar)
        columns = [self.intensity, self.ring, *(() if self.time_s is None else (self.time_s,))]
        if self.xyz_lidar.shape != (n, 3) or any(column.shape != (n,) for column in columns):
            shapes = " ".join(str(part.shape) for part in (self.xyz_lidar, *columns))
            raise ValueError(f"points must be (N,3) with columns (N,): {shapes}")

    def take(self, rows: NDArray[np.intp]) -> Points:
        """The points of some rows."""
        time_s = None if self.time_s is None else self.time_s.take(rows)
        return Points(self.xyz_lidar.take(rows, axis=0), self.intensity.take(rows), self.ring.take(rows), time_s)


@dataclass(frozen=True)
class Camera:
    """One exposure of one camera.

    Attributes:
        token: sample_data token.
        sample_token: the keyframe it belongs to.
        K: (3,3) float64 px, of the undistorted image: projection knows K alone.
        T_ego_cam, T_global_ego: (4,4) float64; the ego pose is the one at exposure.
        distortion: of the image in its file, which `densegt.depth.camera_image.read_image` takes away; None where it
            has none.
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
    distortion: Distortion | None = None

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
        category: the format's own word.
        size_lwh_m: (3,) float64.
        timestamps_us: (M,) int64, increasing.
        T_global_box: (M,4,4) float64; box frame: x ahead, y left, z up, origin in the middle.
    """

    token: str
    category: str
    kind: ObjectKind
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
    """One drive: sweeps and keyframe cameras in order of time, and tracks.

    Attributes:
        name: e.g. scene-0061.
        lidars: those that its sweeps are of.
        sweeps: every sweep of every lidar, keyframes and between.
        cameras: the exposures that belong to keyframes.
        tracks: annotated objects, empty where there are no labels.
        read_points: reads one sweep's points from disk; raises InputError that names the file.
        set_aside: what the reader left out because it is bad.
        notes: lines worth knowing on how it was read.
    """

    name: str
    lidars: tuple[Lidar, ...]
    sweeps: tuple[Sweep, ...]
    cameras: tuple[Camera, ...]
    tracks: tuple[Track, ...]
    read_points: Callable[[Sweep], Points]
    set_aside: tuple[SetAside, ...] = ()
    notes: tuple[str, ...] = ()

    def with_lidar_models(self, models: Mapping[str, LidarModel]) -> Scene:
        """The same scene, its lidars' models those given by channel."""
        known = {id(lidar): replace(lidar, model=models[lidar.channel]) for lidar in self.lidars}
        sweeps = tuple(replace(sweep, lidar=known[id(sweep.lidar)]) for sweep in self.sweeps)
        return replace(self, lidars=tuple(known.values()), sweeps=sweeps)


def _check_pose(T: Float64, what: str) -> None:
    if T.shape != (4, 4) or not np.isfinite(T).all():
        raise ValueError(f"{what}: not a finite (4,4) pose")
