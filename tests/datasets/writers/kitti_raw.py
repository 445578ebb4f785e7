"""Writes a scene of another format as a drive of KITTI's raw recordings.

The scene's lidar must turn clockwise and be compensated, as the simulated one. Here its points go back to where the
sensor measured them, each at its own time, and turns are cut anew where the beam passes straight astern.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

from densegt.accumulation.timing import EgoPath, azimuth_times
from densegt.datasets.kitti_raw.oxts import EARTH_RADIUS_M
from densegt.geometry import se3

DATE, NUMBER = "2011_09_26", "0005"
NAME = f"{DATE}_drive_{NUMBER}"
LATITUDE_DEG, LONGITUDE_DEG, HEIGHT_M = 49.01, 8.42, 110.0
CATEGORIES = {"vehicle.car": "Car", "vehicle.truck": "Truck", "vehicle.bicycle": "Cyclist", "human": "Pedestrian"}


class Turn(NamedTuple):
    """One sweep as KITTI has it: its stamp and points (N,3) in the velodyne's frame, reflectance and ring (N,)."""

    middle_us: int
    xyz: np.ndarray
    reflectance: np.ndarray
    ring: np.ndarray


def write_drive(scene, root: Path, camera: str = "CAM_FRONT") -> Path:
    """Write sweeps, the keyframes' images of one camera as image_00, poses, boxes and calibration; gives the drive."""
    drive = root / DATE / f"{NAME}_sync"
    path = EgoPath.of(scene)
    # The velodyne's x axis points ahead.
    T_ego_lidar = scene.lidars[0].T_ego_lidar
    T_ego_velo = T_ego_lidar @ se3.from_yaw(-np.arctan2(*T_ego_lidar[[1, 0], 0]), (0, 0, 0))
    turns = cut_turns(scene, path, T_ego_velo)
    middles_us = np.array([turn.middle_us for turn in turns])
    _write_sweeps(drive / "velodyne_points", turns, scene.lidars[0].model.period_s)
    _write_images(drive / "image_00", [c for c in scene.cameras if c.channel == camera], middles_us)
    # The packets have stamps of their own.
    _write_packets(drive / "oxts", path, middles_us + 14_000)
    write_calibration(drive.parent, next(c for c in scene.cameras if c.channel == camera), T_ego_velo)
    tracklets = [t for track in scene.tracks for t in _tracklet(track, middles_us, path, T_ego_velo)]
    (drive / "tracklet_labels.xml").write_text(tracklets_xml(tracklets))
    return drive


def cut_turns(scene, path, T_ego_velo):
    """The scene's points in turns from astern to astern, mid-way the beam faces ahead."""
    model = scene.lidars[0].model
    period_us = model.period_s * 1e6
    ahead_us = round(((model.scan_start_azimuth_rad / (2 * np.pi)) - model.stamp_fraction) * period_us)
    middles_us = [sweep.timestamp_us + ahead_us for sweep in scene.sweeps]
    middles_us.append(middles_us[-1] + round(period_us))
    parts = []
    for sweep in scene.sweeps:
        points = scene.read_points(sweep)
        # A beam without a return is a row of zeros there, and no row here.
        points = points.take(np.flatnonzero(np.abs(points.xyz_lidar).max(axis=1) > 0.1))
        times_s, xyz = as_measured(points, sweep, path)
        xyz_velo = se3.apply(se3.inverse(T_ego_velo) @ sweep.T_ego_lidar, xyz)
        turn = np.searchsorted(np.array(middles_us) - sweep.timestamp_us + period_us / 2, times_s * 1e6)
        parts.append((turn, xyz_velo, points.intensity, points.ring))
    turn, xyz, intensity, ring = (np.concatenate(column) for column in zip(*parts, strict=True))
    # KITTI's own steps: a millimetre, a hundredth.
    xyz, reflectance = np.round(xyz, 3), np.round(intensity / 255, 2)
    return [
        Turn(middle, xyz[turn == k], reflectance[turn == k], ring[turn == k]) for k, middle in enumerate(middles_us)
    ]


def as_measured(points, sweep, path):
    """Times (N,) s relative to the stamp, and points (N,3) in the lidar's frame then; each tells the other."""
    xyz = points.xyz_lidar.astype(np.float64)
    xyz_global = se3.apply(sweep.T_global_lidar, xyz)
    for _ in range(3):
        times_s = azimuth_times(xyz, sweep.T_ego_lidar, sweep.lidar_model)
        T_lidar_global = se3.inverse(path.poses_at(sweep.timestamp_us + times_s * 1e6) @ sweep.T_ego_lidar)
        xyz = np.einsum("nij,nj->ni", T_lidar_global[:, :3, :3], xyz_global) + T_lidar_global[:, :3, 3]
    return times_s, xyz


def _write_sweeps(folder, turns, period_s):
    (folder / "data").mkdir(parents=True)
    half_us = round(period_s * 5e5)
    for name, shift_us in (("timestamps", 0), ("timestamps_start", -half_us), ("timestamps_end", half_us)):
        write_stamps(folder / f"{name}.txt", [turn.middle_us + shift_us for turn in turns])
    for number, turn in enumerate(turns):
        azimuth = np.arctan2(turn.xyz[:, 1], turn.xyz[:, 0]) % (2 * np.pi)
        # Laser by laser from the top, each from straight ahead over the left.
        order = np.lexsort((azimuth, -turn.ring.astype(int)))
        rows = np.column_stack([turn.xyz, turn.reflectance])[order].astype("<f4")
        rows.tofile(folder / "data" / f"{number:010d}.bin")


def _write_images(folder, cameras, middles_us):
    (folder / "data").mkdir(parents=True)
    stamps_us = middles_us.copy()
    for camera in cameras:
        number = int(np.argmin(np.abs(middles_us - camera.timestamp_us)))
        stamps_us[number] = camera.timestamp_us
        cv2.imwrite(str(folder / "data" / f"{number:010d}.png"), cv2.imread(str(camera.image_path)))
    write_stamps(folder / "timestamps.txt", stamps_us)


def _write_packets(folder, path, stamps_us):
    (folder / "data").mkdir(parents=True)
    write_stamps(folder / "timestamps.txt", stamps_us)
    for number, T_global_ego in enumerate(path.poses_at(stamps_us.astype(np.float64))):
        values = " ".join(f"{value:.14g}" for value in packet(T_global_ego))
        (folder / "data" / f"{number:010d}.txt").write_text(values)


def packet(T_global_ego):
    """The thirty numbers of an OXTS packet; Mercator's scale is that of LATITUDE_DEG."""
    scale = EARTH_RADIUS_M * np.cos(np.deg2rad(LATITUDE_DEG))
    x, y, z = T_global_ego[:3, 3]
    north = np.log(np.tan(np.deg2rad(90 + LATITUDE_DEG) / 2)) + y / scale
    lat = np.rad2deg(2 * np.arctan(np.exp(north))) - 90
    lon = LONGITUDE_DEG + np.rad2deg(x / scale)
    return [lat, lon, HEIGHT_M + z, *Rotation.from_matrix(T_global_ego[:3, :3]).as_euler("xyz"), *[0.0] * 24]


def write_stamps(path, stamps_us):
    """Stamps with nine decimals."""
    moments = (datetime(1970, 1, 1) + timedelta(microseconds=int(us)) for us in stamps_us)
    path.write_text("".join(f"{moment:%Y-%m-%d %H:%M:%S.%f}417\n" for moment in moments))


def write_calibration(day, camera, T_ego_velo):
    """The three files, image_00 the only camera and its rectification none."""
    T_velo_imu = se3.inverse(T_ego_velo)
    T_cam_velo = se3.inverse(camera.T_ego_cam) @ T_ego_velo
    for name, T in (("imu_to_velo", T_velo_imu), ("velo_to_cam", T_cam_velo)):
        R, t = (" ".join(f"{value:.12e}" for value in part) for part in (T[:3, :3].ravel(), T[:3, 3]))
        (day / f"calib_{name}.txt").write_text(f"calib_time: 15-Mar-2012 11:37:16\nR: {R}\nT: {t}\n")
    P = " ".join(f"{value:.12e}" for value in np.column_stack([camera.K, np.zeros(3)]).ravel())
    R = " ".join(f"{value:.12e}" for value in np.eye(3).ravel())
    size = f"S_rect_00: {camera.width_px:e} {camera.height_px:e}\n"
    (day / "calib_cam_to_cam.txt").write_text(f"corner_dist: 9.95e-02\n{size}R_rect_00: {R}\nP_rect_00: {P}\n")


def _tracklet(track, middles_us, path, T_ego_velo):
    """The track at the frames between its first label and its last: category, l w h, first frame, T_velo_box."""
    inside = np.flatnonzero((middles_us >= track.timestamps_us[0]) & (middles_us <= track.timestamps_us[-1]))
    category = next((word for prefix, word in CATEGORIES.items() if track.category.startswith(prefix)), "Misc")
    if len(inside):
        times_us = middles_us[inside].astype(np.float64)
        T_global_box = EgoPath(track.timestamps_us, track.T_global_box).poses_at(times_us)
        T_velo_global = se3.inverse(path.poses_at(times_us) @ T_ego_velo)
        yield category, track.size_lwh_m, int(inside[0]), T_velo_global @ T_global_box


def tracklets_xml(tracklets):
    """The XML of (category, l w h, first frame, T_velo_box (M,4,4)): a pose is the middle of the box's bottom."""
    items = []
    for category, (length, width, height), first, poses in tracklets:
        rows = []
        for T in poses:
            bottom = T[:3, 3] - T[:3, 2] * height / 2
            values = (*bottom, *Rotation.from_matrix(T[:3, :3]).as_euler("xyz"))
            named = zip(("tx", "ty", "tz", "rx", "ry", "rz"), values, strict=True)
            rows.append("<item>" + "".join(f"<{k}>{v:.9f}</{k}>" for k, v in named) + "<state>2</state></item>")
        listed = f"<poses><count>{len(rows)}</count><item_version>2</item_version>{''.join(rows)}</poses>"
        size = f"<h>{height}</h><w>{width}</w><l>{length}</l>"
        items.append(
            f"<item><objectType>{category}</objectType>{size}<first_frame>{first}</first_frame>{listed}</item>"
        )
    listed = f"<count>{len(items)}</count><item_version>1</item_version>{''.join(items)}"
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes" ?>\n<!DOCTYPE boost_serialization>\n'
        f'<boost_serialization signature="serialization::archive" version="9"><tracklets>{listed}</tracklets>'
        "</boost_serialization>\n"
    )
