"""Which spin model a recording's lidar follows, where nobody says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.lidar_model import KITTI, NUSCENES, LidarModel
from densegt.datasets.scene import Camera, Points, Scene, Sweep

_TURN = 2 * np.pi


def with_inferred_models(scene: Scene) -> Scene:
    """The scene with a model for each lidar that has none; reads the first sweep of each.

    Raises:
        InputError: that sweep cannot be read.
    """
    models = {}
    for lidar in scene.lidars:
        sweeps = [sweep for sweep in scene.sweeps if sweep.lidar is lidar]
        models[lidar.channel] = lidar.model or infer_lidar_model(sweeps, scene.cameras, scene.read_points(sweeps[0]))
    return scene.with_lidar_models(models)


def infer_lidar_model(sweeps: Sequence[Sweep], cameras: Sequence[Camera], points: Points) -> LidarModel:
    """KITTI's model for a lidar that turns at about 10 Hz, nuScenes' for every other, its phase from the recording.

    The stamps tell the period; direction and compensation are the convention of the recordings with that period.
    In nuScenes' own files the points stand in firing order, which shows where the turn is cut (near +91 degrees on
    the recording we looked at), and the cameras fire as the beam passes, which shows where the beam was at the stamp
    (near +105). Where either cannot be told, nuScenes' nominal +110 degrees holds.

    Args:
        sweeps: in order of time.
        cameras: exposures near those sweeps.
        points: the first sweep's.
    """
    if len(sweeps) > 1:
        period_s = float(np.median(np.diff([s.timestamp_us for s in sweeps]))) * 1e-6
        if 0.08 < period_s < 0.125:
            return KITTI
    seam_rad = _seam_from_order(points, sweeps[0].T_ego_lidar)
    if seam_rad is None:
        return NUSCENES
    stamp_rad = _beam_at_stamp(sweeps, cameras)
    passed = (seam_rad - (NUSCENES.seam_rad if stamp_rad is None else stamp_rad)) % _TURN / _TURN
    # The stamp lies near the end of a turn, so a beam just past the seam belongs to the next one.
    return replace(NUSCENES, seam_rad=seam_rad, stamp_fraction=passed + 1.0 if passed < 0.5 else passed)


def azimuth_in_ego(xyz_lidar: NDArray[np.float32], T_ego_lidar: NDArray[np.float64]) -> NDArray[np.float64]:
    """Direction of points (N,3) as seen from the lidar, in ego's azimuth (N,) rad: 0 ahead, left positive."""
    xy_ego = xyz_lidar.astype(np.float64) @ T_ego_lidar[:2, :3].T
    return np.arctan2(xy_ego[:, 1], xy_ego[:, 0])


def _seam_from_order(points: Points, T_ego_lidar: NDArray[np.float64]) -> float | None:
    """Azimuth where each ring's points begin, if within a ring they stand in clockwise order over a whole turn."""
    azimuth = azimuth_in_ego(points.xyz_lidar, T_ego_lidar)
    far = np.linalg.norm(points.xyz_lidar, axis=1) > 3.0
    starts = []
    for ring in np.unique(points.ring):
        turn = np.unwrap(azimuth[far & (points.ring == ring)])
        if len(turn) < 100:
            continue
        clockwise = (np.diff(turn) <= 1e-3).mean() > 0.9
        whole = 0.8 * _TURN < turn[0] - turn[-1] < 1.05 * _TURN
        if clockwise and whole:
            starts.append(turn[0])
    if len(starts) < 5:
        return None
    # Rings are staggered by a few degrees; the earliest start is the cut. A high quantile forgives one bad ring.
    reference = starts[0]
    unwrapped = reference + (np.array(starts) - reference + np.pi) % _TURN - np.pi
    return float(np.quantile(unwrapped, 0.75) % _TURN)


def _beam_at_stamp(sweeps: Sequence[Sweep], cameras: Sequence[Camera]) -> float | None:
    """Azimuth of the beam at the lidar's stamp, from the cameras that fire as it passes their axes."""
    stamps = {s.sample_token: s.timestamp_us for s in sweeps if s.is_keyframe}
    phases = []
    for camera in cameras:
        if camera.sample_token in stamps:
            before_s = (stamps[camera.sample_token] - camera.timestamp_us) * 1e-6
            axis = camera.T_ego_cam[:2, 2]
            phases.append(np.arctan2(axis[1], axis[0]) - before_s / NUSCENES.period_s * _TURN)
    if len(phases) < 3:
        return None
    mean = np.exp(1j * np.array(phases)).mean()
    # Cameras that do not agree within about 15 degrees are not triggered by the beam.
    return float(np.angle(mean) % _TURN) if np.abs(mean) > 0.966 else None
