"""Writes a drive of KITTI raw, as `writers.kitti_raw` makes it, in KITTI-360's layout."""

import shutil

import numpy as np

from densegt.datasets import open_recording
from densegt.geometry import se3

NAME = "2013_05_28_drive_0000"
# A turn that undoes lens and mounting; KITTI-360's transforms are of the cameras before it.
R_RECT = se3.from_yaw(0.02, (0, 0, 0))
WORLD_M = np.array([1200.0, 3800.0, 115.0])


def write_360(raw, root, left_out=()):
    """Points, images, stamps, calibration and poses at the sweeps' stamps, but for some frames, where it stood."""
    (drive,) = raw.glob("*/*_sync")
    scene = open_recording(raw).scene(open_recording(raw).scene_names[0])
    folder = f"{NAME}_sync"
    shutil.copytree(drive / "velodyne_points", root / "data_3d_raw" / folder / "velodyne_points")
    pictures = root / "data_2d_raw" / folder / "image_00"
    shutil.copytree(drive / "image_00" / "data", pictures / "data_rect")
    shutil.copy(drive / "image_00" / "timestamps.txt", pictures)
    (root / "calibration").mkdir()
    (root / "data_poses" / folder).mkdir(parents=True)
    lines = []
    for number, sweep in enumerate(scene.sweeps):
        T = sweep.T_global_ego.copy()
        T[:3, 3] += WORLD_M
        lines.append(f"{number} {_text(T[:3])}\n")
    kept = [line for number, line in enumerate(lines) if number not in left_out]
    (root / "data_poses" / folder / "poses.txt").write_text("".join(kept))
    camera = scene.cameras[0]
    T_ego_mounted = camera.T_ego_cam @ R_RECT
    T_velo_mounted = se3.inverse(scene.lidars[0].T_ego_lidar) @ T_ego_mounted
    (root / "calibration" / "calib_cam_to_pose.txt").write_text(f"image_00: {_text(T_ego_mounted[:3])}\n")
    (root / "calibration" / "calib_cam_to_velo.txt").write_text(_text(T_velo_mounted[:3]))
    P = np.column_stack([camera.K, np.zeros(3)])
    perspective = f"S_rect_00: {camera.width_px} {camera.height_px}\nR_rect_00: {_text(R_RECT[:3, :3])}\n"
    (root / "calibration" / "perspective.txt").write_text(f"calib_time: none\n{perspective}P_rect_00: {_text(P)}\n")
    return scene


def _text(values):
    return " ".join(f"{value:.12g}" for value in np.ravel(values))
