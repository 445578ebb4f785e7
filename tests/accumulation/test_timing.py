"""When each point was measured and where the ego was then, against values worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from densegt.accumulation.timing import EgoPath, azimuth_times, point_times, to_global
from densegt.datasets.lidar_model import KITTI, NUSCENES, LidarModel
from densegt.datasets.scene import Lidar, Points, Scene, Sweep
from densegt.geometry import se3

UPRIGHT = np.eye(4)
# Counter-clockwise from behind, stamp when facing ahead, not compensated.
COUNTER = LidarModel(
    clockwise=False, period_s=0.1, scan_start_azimuth_rad=float(np.pi), stamp_fraction=0.5, compensated=False
)
# As nuScenes mounts it: the lidar's x axis looks to the ego's right.
TURNED_RIGHT = se3.from_yaw(-np.pi / 2, [0.9, 0.0, 1.84])


def seen_at(azimuth_deg: list[float], T_ego_lidar: np.ndarray) -> np.ndarray:
    """Points in lidar that lie in these directions of ego's azimuth, at various ranges and heights."""
    a = np.deg2rad(azimuth_deg)
    r = np.linspace(5, 50, len(a))
    directions = np.stack([r * np.cos(a), r * np.sin(a), np.linspace(-2, 3, len(a))], axis=1)
    return (directions @ T_ego_lidar[:3, :3]).astype(np.float32)


@pytest.mark.parametrize("T_ego_lidar", [UPRIGHT, TURNED_RIGHT], ids=["upright", "turned"])
@pytest.mark.parametrize(
    ("spin", "azimuth_deg", "wanted_ms"),
    [
        # Clockwise from +110, stamp at the end: 110 degrees to go until ahead.
        (NUSCENES, [0, 90, -90, 180, 109, 111], np.array([110, 20, 200, 290, 1, 359]) / 360 * 50 - 50),
        # Clockwise from behind, stamp when facing ahead.
        (KITTI, [0, 90, -90, 179, -179], np.array([180, 90, 270, 1, 359]) / 360 * 100 - 50),
        (COUNTER, [0, 90, -90, 179, -179], np.array([180, 270, 90, 359, 1]) / 360 * 100 - 50),
        (LidarModel(False, 0.2, np.pi / 2, 0.0), [91, 0, 89], [5 / 9, 150, 1795 / 9]),
        (LidarModel(True, 0.04, 0.0, 0.25), [-1, 90, 1], [1 / 9 - 10, 20, 30 - 1 / 9]),
    ],
    ids=["nuscenes", "kitti", "counter", "custom", "quarter"],
)  # fmt: skip
def test_times_by_hand(spin: LidarModel, azimuth_deg: list[float], wanted_ms, T_ego_lidar: np.ndarray) -> None:
    got = azimuth_times(seen_at(azimuth_deg, T_ego_lidar), T_ego_lidar, spin)
    np.testing.assert_allclose(got * 1e3, wanted_ms, atol=1e-4)


def test_nuscenes_sees_ahead_34_7_ms_before_its_stamp() -> None:
    ahead = np.array([[0.0, 20.0, -1.0]], np.float32)  # the lidar's y axis looks ahead
    assert azimuth_times(ahead, TURNED_RIGHT, NUSCENES)[0] == pytest.approx(-0.0347222, abs=1e-6)


@pytest.mark.parametrize("spin", [NUSCENES, COUNTER])
def test_a_turn_begins_on_one_side_of_the_scan_start_and_ends_on_the_other(spin: LidarModel) -> None:
    scan_start = np.rad2deg(spin.scan_start_azimuth_rad)
    before, after = (-0.01, 0.01) if spin.clockwise else (0.01, -0.01)
    first, last = azimuth_times(seen_at([scan_start + before, scan_start + after], UPRIGHT), UPRIGHT, spin)
    assert first == pytest.approx(-spin.stamp_fraction * spin.period_s, abs=5e-6)
    assert last == pytest.approx((1 - spin.stamp_fraction) * spin.period_s, abs=5e-6)


@pytest.mark.parametrize("spin", [NUSCENES, COUNTER])
def test_times_fill_exactly_one_turn_in_its_direction(spin: LidarModel) -> None:
    azimuth = np.linspace(-180, 179.5, 720)
    times = azimuth_times(seen_at(azimuth.tolist(), UPRIGHT), UPRIGHT, spin)
    assert times.min() >= -spin.stamp_fraction * spin.period_s
    assert times.max() < (1 - spin.stamp_fraction) * spin.period_s
    steps = np.diff(times)
    along = steps < 0 if spin.clockwise else steps > 0
    assert along.sum() >= len(steps) - 1  # but for the scan start


# --- the ego's path ---


def path_through(*poses: tuple[float, list[float], int]) -> EgoPath:
    return EgoPath(np.array([t for *_, t in poses]), np.stack([se3.from_yaw(yaw, xyz) for yaw, xyz, _ in poses]))


PATH = path_through((0.0, [0, 0, 0], 0), (0.0, [2, 0, 0], 100_000), (1.0, [4, 1, 0.5], 300_000))


@pytest.mark.parametrize(
    ("t_us", "xyz", "yaw"),
    [
        (0, [0, 0, 0], 0.0),
        (50_000, [1, 0, 0], 0.0),
        (100_000, [2, 0, 0], 0.0),
        (150_000, [2.5, 0.25, 0.125], 0.25),
        (300_000, [4, 1, 0.5], 1.0),
        (400_000, [5, 1.5, 0.75], 1.5),  # beyond: the last stretch's velocity and turning rate
        (-100_000, [-2, 0, 0], 0.0),
    ],
)
def test_ego_path_by_hand(t_us: float, xyz: list[float], yaw: float) -> None:
    np.testing.assert_allclose(PATH.poses_at(np.array([t_us], float))[0], se3.from_yaw(yaw, xyz), atol=1e-12)


def test_many_times_at_once_are_as_one_by_one_in_any_order() -> None:
    times = np.random.default_rng(0).uniform(-2e5, 5e5, 50)
    one_by_one = np.concatenate([PATH.poses_at(t[None]) for t in times])
    np.testing.assert_allclose(PATH.poses_at(times), one_by_one, atol=1e-12)
    assert PATH.poses_at(np.empty(0)).shape == (0, 4, 4)


def test_one_pose_is_a_path_that_stands_still() -> None:
    path = path_through((0.3, [1, 2, 3], 7))
    np.testing.assert_array_equal(path.poses_at(np.array([-1e6, 7, 1e6])), np.tile(path.T_global_ego, (3, 1, 1)))


def meta(T_global_ego: np.ndarray, timestamp_us: int = 0, model: LidarModel = NUSCENES) -> Sweep:
    return Sweep("t", "s", True, Path("x"), timestamp_us, Lidar("L", TURNED_RIGHT, model), T_global_ego)


def test_path_of_a_scene_takes_one_pose_a_stamp() -> None:
    sweeps = tuple(meta(se3.from_yaw(0, [x, 0, 0]), t) for x, t in ((1, 10_000), (2, 20_000), (9, 20_000), (3, 30_000)))
    path = EgoPath.of(Scene("s", (), sweeps, (), (), lambda s: None))
    assert path.timestamps_us.tolist() == [10_000, 20_000, 30_000]
    assert path.T_global_ego[:, 0, 3].tolist() == [1, 2, 3]


# --- points in global ---


def drive(speed_mps: float, yaw_rate: float):
    """A path at 20 Hz on a circle, and the exact pose at any time."""

    def pose(t_s: float) -> np.ndarray:
        yaw = yaw_rate * t_s
        if yaw_rate == 0:
            return se3.from_yaw(0, [speed_mps * t_s, 0, 0])
        r = speed_mps / yaw_rate
        return se3.from_yaw(yaw, [r * np.sin(yaw), r * (1 - np.cos(yaw)), 0])

    stamps = np.arange(-4, 5) * 50_000
    return pose, EgoPath(stamps, np.stack([pose(t * 1e-6) for t in stamps]))


WALL_X = 25.0


def sweep_of_a_wall(pose, spin: LidarModel) -> tuple[Points, np.ndarray]:
    """What a lidar that is driven by `pose` gets from a wall across its way: each beam from where it is then."""
    rows, times = [], []
    for azimuth in np.deg2rad(np.arange(-60, 60.1, 0.5)):
        turned = (
            (spin.scan_start_azimuth_rad - azimuth if spin.clockwise else azimuth - spin.scan_start_azimuth_rad)
            % (2 * np.pi)
        ) / (2 * np.pi)
        t = (turned - spin.stamp_fraction) * spin.period_s
        T = pose(t) @ TURNED_RIGHT
        for tilt in (-0.05, 0.05):
            d_ego = np.array([np.cos(azimuth), np.sin(azimuth), tilt])
            d = pose(t)[:3, :3] @ d_ego
            met = T[:3, 3] + d * (WALL_X - T[0, 3]) / d[0]
            rows.append(se3.apply(se3.inverse(T), met[None])[0])
            times.append(t)
    xyz = np.array(rows, np.float32)
    return Points(xyz, np.zeros(len(xyz), np.float32), np.zeros(len(xyz), np.uint16)), np.array(times)


@pytest.mark.parametrize(("speed_mps", "yaw_rate"), [(30.0, 0.0), (10.0, 0.0), (0.0, 0.0), (8.0, 0.4)])
def test_an_uncompensated_sweep_of_a_wall_from_a_moving_ego_comes_out_flat(speed_mps: float, yaw_rate: float) -> None:
    """Flat to within what `to_global` promises: 0.1 mm at 30 m/s; a turn between poses adds its sagitta, 1 mm."""
    pose, path = drive(speed_mps, yaw_rate)
    points, times = sweep_of_a_wall(pose, COUNTER)
    times_s = azimuth_times(points.xyz_lidar, TURNED_RIGHT, COUNTER)
    np.testing.assert_allclose(times_s, times, atol=1e-8)
    xyz = to_global(points.xyz_lidar, meta(pose(0.0), model=COUNTER), times_s, path)
    sagitta = speed_mps * yaw_rate * 0.05**2 / 8
    assert np.abs(xyz[:, 0] - WALL_X).max() < 1e-4 + sagitta
    # By the stamp's pose alone it is bent by the way driven in the sixth of a turn between its ends and the middle.
    bent = se3.apply(meta(pose(0.0)).T_global_lidar, points.xyz_lidar)[:, 0] - WALL_X
    assert np.abs(bent).max() >= 0.99 * speed_mps * COUNTER.period_s / 6


def test_a_compensated_sweep_is_moved_by_the_pose_at_its_stamp_only() -> None:
    pose, path = drive(20.0, 0.3)
    points, _ = sweep_of_a_wall(pose, NUSCENES)
    sweep = meta(pose(0.0))
    times_s = azimuth_times(points.xyz_lidar, TURNED_RIGHT, NUSCENES)
    np.testing.assert_array_equal(
        to_global(points.xyz_lidar, sweep, times_s, path), se3.apply(sweep.T_global_lidar, points.xyz_lidar)
    )


def test_one_point_alone_is_moved_by_its_own_pose() -> None:
    pose, path = drive(30.0, 0.0)
    left = Points(np.array([[-10.0, 0, 0]], np.float32), np.zeros(1, np.float32), np.zeros(1, np.uint16))
    times_s = azimuth_times(left.xyz_lidar, TURNED_RIGHT, COUNTER)
    assert times_s[0] == pytest.approx(0.025)
    xyz = to_global(left.xyz_lidar, meta(pose(0.0), model=COUNTER), times_s, path)
    np.testing.assert_allclose(xyz, [[0.9 + 0.75, 10.0, 1.84]], atol=1e-6)


def test_points_with_times_of_their_own_keep_them() -> None:
    left = Points(np.array([[-10.0, 0, 0]], np.float32), np.zeros(1, np.float32), np.zeros(1, np.uint16))
    own = replace(left, time_s=np.array([0.0123], np.float32))
    sweep = meta(np.eye(4), model=COUNTER)
    assert point_times(left, sweep)[0] == pytest.approx(0.025)
    assert point_times(own, sweep)[0] == pytest.approx(0.0123)
