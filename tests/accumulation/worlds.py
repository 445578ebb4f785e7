"""A world whose depth is known in closed form: a wall, flat ground, and a box that drives; and sensors that see it.

Everything is exact: no noise, no mixed beams, every beam fired from where the lidar is at its own time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from densegt.datasets.lidar_model import LidarModel
from densegt.datasets.scene import Camera, Lidar, ObjectKind, Points, Scene, Sweep, Track
from densegt.geometry import se3

GROUND, WALL, BOX = 1, 2, 3
START_US = 1_600_000_000_000_000
PERIOD_US = 50_000
# Far from zero, as recordings are: float32 would lose centimetres here.
MAP_ORIGIN = np.array([60_000.0, -25_000.0, 130.0])
WIDTH, HEIGHT, FOCAL = 160, 90, 126.6
K = np.array([[FOCAL, 0, 79.5], [0, FOCAL, 44.5], [0, 0, 1.0]])
T_EGO_LIDAR = se3.from_yaw(-np.pi / 2, [0.9, 0.0, 1.84])
T_EGO_CAM = np.array([[0, 0, 1, 1.7], [-1, 0, 0, 0.1], [0, -1, 0, 1.5], [0, 0, 0, 1.0]])
ELEVATION = np.deg2rad(-30.67 + np.arange(32) * 1.3335)
AZIMUTH = np.deg2rad(np.arange(-60, 60, 1 / 3) + 0.1)


@dataclass(frozen=True, eq=False)
class Sensor:
    """A lidar, its beams and its clock.

    Attributes:
        elevation, azimuth: of its beams, rad in axes parallel to ego's.
        delay_us: its stamps relative to the main lidar's.
        own_times: its points carry their times and stand in a random order.
    """

    channel: str = "LIDAR_TOP"
    T_ego_lidar: np.ndarray = field(default_factory=lambda: T_EGO_LIDAR)
    model: LidarModel = field(default_factory=LidarModel)
    elevation: np.ndarray = field(default_factory=lambda: ELEVATION)
    azimuth: np.ndarray = field(default_factory=lambda: AZIMUTH)
    delay_us: int = 0
    own_times: bool = False

    def firing_times(self) -> np.ndarray:
        """Of each azimuth, s relative to the stamp."""
        sign = -1 if self.model.clockwise else 1
        turned = (sign * (self.azimuth - self.model.scan_start_azimuth_rad) % (2 * np.pi)) / (2 * np.pi)
        return (turned - self.model.stamp_fraction) * self.model.period_s

    @property
    def lidar(self) -> Lidar:
        """As the rest of densegt takes it."""
        return Lidar(self.channel, self.T_ego_lidar, self.model)


@dataclass(frozen=True, eq=False)
class World:
    """Ground z = 0, a wall x = wall_x, and a box that stands upright on the ground and slides at a steady velocity.

    Attributes:
        box_middle: (3,) at the scene's start, in metres from MAP_ORIGIN like everything else here.
        ego_speed: along x.
        exposure_us: of the camera, relative to the keyframe sweep's stamp.
        labelled: whether the box has a track.
        lidars: on the car, the main one first.
    """

    wall_x: float = 28.0
    box_middle: np.ndarray = field(default_factory=lambda: np.array([12.0, -3.0, 0.8]))
    box_size: np.ndarray = field(default_factory=lambda: np.array([3.0, 2.0, 1.6]))
    box_velocity: np.ndarray = field(default_factory=lambda: np.array([6.0, 3.0, 0.0]))
    ego_speed: float = 3.0
    seconds: float = 1.5
    exposure_us: int = -20_000
    labelled: bool = True
    lidars: tuple[Sensor, ...] = field(default_factory=lambda: (Sensor(),))

    def ego(self, t_s: float) -> np.ndarray:
        """T_global_ego without MAP_ORIGIN."""
        return se3.from_yaw(0.0, [self.ego_speed * t_s, 0, 0])

    def box(self, t_s: float | np.ndarray) -> np.ndarray:
        """The box's middle."""
        return self.box_middle + np.multiply.outer(np.asarray(t_s), self.box_velocity)

    def cast(self, origin: np.ndarray, d: np.ndarray, t_s: float | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How far each ray (N,3) goes in units of its direction, and what it meets; `t_s` is one time or one a ray."""
        with np.errstate(divide="ignore", invalid="ignore"):
            ground = -origin[..., 2] / d[:, 2]
            wall = (self.wall_x - origin[..., 0]) / d[:, 0]
            lo = (self.box(t_s) - self.box_size / 2 - origin) / d
            hi = (self.box(t_s) + self.box_size / 2 - origin) / d
        enter, leave = np.minimum(lo, hi).max(axis=1), np.maximum(lo, hi).min(axis=1)
        box = np.where((enter < leave) & (enter > 0), enter, np.inf)
        far = np.stack([np.where(ground > 0, ground, np.inf), np.where(wall > 0, wall, np.inf), box])
        return far.min(axis=0), np.array([GROUND, WALL, BOX])[far.argmin(axis=0)]

    # --- sensors ---

    @property
    def stamps_us(self) -> np.ndarray:
        """Of the sweeps; every tenth is a keyframe's."""
        return START_US + np.arange(round(self.seconds * 20) + 1) * PERIOD_US

    def sweep(self, stamp_us: int, sensor: Sensor | None = None) -> tuple[Points, np.ndarray, np.ndarray]:
        """One sweep, with the time (N,) s of each return since START_US and what it is of; the main lidar's by default.

        Compensated points are where they were seen from the pose at the stamp, others from that at their own time.
        """
        sensor = sensor or self.lidars[0]
        e, a = (g.ravel() for g in np.meshgrid(sensor.elevation, sensor.azimuth, indexing="ij"))
        t_s = np.tile(sensor.firing_times(), len(sensor.elevation)) + (stamp_us - START_US) * 1e-6
        d = np.stack([np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)], axis=1)
        origin = sensor.T_ego_lidar[:3, 3] + np.outer(t_s * self.ego_speed, [1, 0, 0])
        ranges, kind = self.cast(origin, d, t_s)
        met = ranges < 90
        xyz = (origin + d * ranges[:, None])[met]
        if not sensor.model.compensated:
            xyz[:, 0] -= (t_s[met] - (stamp_us - START_US) * 1e-6) * self.ego_speed
        T = self.ego((stamp_us - START_US) * 1e-6) @ sensor.T_ego_lidar
        ring = np.repeat(np.arange(len(sensor.elevation)), len(sensor.azimuth)).astype(np.uint16)[met]
        xyz_lidar = se3.apply(se3.inverse(T), xyz).astype(np.float32)
        time_s = (t_s[met] - (stamp_us - START_US) * 1e-6).astype(np.float32) if sensor.own_times else None
        points = Points(xyz_lidar, np.ones(len(ring), np.float32), ring, time_s)
        if not sensor.own_times:
            return points, t_s[met], kind[met]
        shuffled = np.random.default_rng(stamp_us).permutation(len(ring))
        return points.take(shuffled), t_s[met][shuffled], kind[met][shuffled]

    def truth(self, camera: Camera, *, du: float = 0.0, dv: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """Exact z-depth (H,W) and what each pixel shows, at its centre or `du`, `dv` pixels beside it."""
        v, u = np.mgrid[0:HEIGHT, 0:WIDTH] + np.array([dv, du])[:, None, None]
        rays = np.stack([(u - K[0, 2]) / FOCAL, (v - K[1, 2]) / FOCAL, np.ones_like(u)], axis=-1).reshape(-1, 3)
        T = camera.T_global_cam.copy()
        T[:3, 3] -= MAP_ORIGIN
        depth, kind = self.cast(T[:3, 3], rays @ T[:3, :3].T, (camera.timestamp_us - START_US) * 1e-6)
        return depth.reshape(HEIGHT, WIDTH), kind.reshape(HEIGHT, WIDTH)

    def within_pixels(self, camera: Camera) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Least and greatest depth within each pixel (H,W), and what it shows: 0 where the box ends within it.

        Depth is continuous from ground to wall, so any depth between the two stands in such a pixel.
        """
        half = (-0.5, 0.0, 0.5)
        depth, kind = zip(*(self.truth(camera, du=du, dv=dv) for du in half for dv in half), strict=True)
        box = np.stack(kind) == BOX
        shows = np.where(box.all(axis=0) | ~box.any(axis=0), self.truth(camera)[1], 0)
        return np.min(depth, axis=0), np.max(depth, axis=0), shows

    def scene(self) -> Scene:
        """As the rest of densegt takes it; points are made when they are asked for."""

        def T_global(t_s: float) -> np.ndarray:
            T = self.ego(t_s)
            T[:3, 3] += MAP_ORIGIN
            return T

        sweeps, cameras = [], []
        sensors = {sensor.channel: sensor for sensor in self.lidars}
        lidars = tuple(sensor.lidar for sensor in self.lidars)
        for i, stamp in enumerate(self.stamps_us):
            sample, is_key = f"sample-{i // 10}", i % 10 == 0
            for number, lidar in enumerate(lidars):
                token = f"sweep-{i}" if number == 0 else f"sweep-{i}-{lidar.channel}"
                at_us = int(stamp) + sensors[lidar.channel].delay_us
                pose = T_global((at_us - START_US) * 1e-6)
                sweeps.append(Sweep(token, sample, is_key, Path(f"{token}.bin"), at_us, lidar, pose))
            if is_key:
                exposure = int(stamp) + self.exposure_us
                at = T_global((exposure - START_US) * 1e-6)
                cameras.append(
                    Camera(sample, sample, "CAM", Path("i.jpg"), "i.jpg", WIDTH, HEIGHT, exposure, K, T_EGO_CAM, at)
                )
        stamps = self.stamps_us[::10].astype(np.int64)
        poses = np.stack([se3.from_yaw(0.0, self.box(t) + MAP_ORIGIN) for t in (stamps - START_US) * 1e-6])
        track = Track("box", "vehicle.car", ObjectKind.RIGID_VEHICLE, self.box_size, stamps, poses)
        sweeps.sort(key=lambda sweep: sweep.timestamp_us)

        def read(sweep: Sweep) -> Points:
            return self.sweep(sweep.timestamp_us, sensors[sweep.lidar.channel])[0]

        return Scene("world", lidars, tuple(sweeps), tuple(cameras), (track,) if self.labelled else (), read)
