"""Which way a lidar turns, where a turn is cut and where in it the stamp lies."""

from pathlib import Path

import numpy as np
import pytest

from densegt.datasets.lidar_model import KITTI, NUSCENES, infer_lidar_model
from densegt.datasets.nuscenes import NuScenes
from densegt.datasets.scene import Camera, LidarModel, Points, Sweep
from densegt.geometry import se3

RINGS = 32
COLUMNS = 1000
# The lidar's x axis points right, as on nuScenes' car.
T_EGO_LIDAR = se3.from_yaw(-np.pi / 2, (0.9, 0, 1.8))
CHANNELS_DEG = {"FRONT": 0, "FRONT_LEFT": 55, "BACK_LEFT": 110, "BACK": 180, "BACK_RIGHT": -110, "FRONT_RIGHT": -55}


def sweeps(period_us=50_000, count=3):
    return [
        Sweep(f"sweep{i}", f"sample{i}", True, Path("sweep"), 1_000_000 + i * period_us, T_EGO_LIDAR, np.eye(4))
        for i in range(count)
    ]


def turn(seam_deg, *, clockwise=True, stagger_deg=0.0, share=1.0, range_m=20.0):
    """Points in firing order, column by column; each ring may begin `stagger_deg` later than the one before."""
    way = -1 if clockwise else 1
    column, ring = (a.ravel() for a in np.meshgrid(np.arange(COLUMNS), np.arange(RINGS), indexing="ij"))
    azimuth_deg = seam_deg + way * (column * share * 360 / COLUMNS + ring * stagger_deg)
    azimuth = np.deg2rad(azimuth_deg)
    xyz_from_lidar = np.stack([np.cos(azimuth), np.sin(azimuth), np.zeros_like(azimuth)], axis=1) * range_m
    xyz_lidar = (xyz_from_lidar @ T_EGO_LIDAR[:3, :3]).astype(np.float32)
    return Points(xyz_lidar, np.zeros(len(ring), dtype=np.float32), ring.astype(np.uint8))


def cameras(before_us):
    """A camera for each (axis in degrees: microseconds before the sweep's stamp)."""
    T_ego_cam_ahead = np.array([[0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1]], dtype=float)
    return [
        Camera(
            token=f"camera{i}",
            sample_token="sample0",
            channel=f"CAM_{i}",
            image_path=Path("image"),
            filename="image",
            width_px=16,
            height_px=9,
            timestamp_us=1_000_000 - round(before),
            K=np.array([[10.0, 0, 8], [0, 10, 4.5], [0, 0, 1]]),
            T_ego_cam=se3.from_yaw(np.deg2rad(axis_deg), (0, 0, 0)) @ T_ego_cam_ahead,
            T_global_ego=np.eye(4),
        )
        for i, (axis_deg, before) in enumerate(before_us.items())
    ]


def triggered(stamp_deg):
    """Cameras that fire as a clockwise beam, at `stamp_deg` at the stamp, passes their axes."""
    return cameras({axis: (axis - stamp_deg) % 360 / 360 * 50_000 for axis in CHANNELS_DEG.values()})


def shuffled(points):
    order = np.random.default_rng(0).permutation(len(points.ring))
    return Points(points.xyz_lidar[order], points.intensity[order], points.ring[order])


@pytest.mark.parametrize(
    ("seam_deg", "stamp_deg", "stamp_fraction"),
    [
        (110, 110, 1.0),
        (91, 105, 1 - 14 / 360),  # the beam is 14 degrees short of the seam at the stamp
        (110, 105, 1 + 5 / 360),  # the next turn has begun
        (-170, 175, 1 + 15 / 360),  # across the branch cut of atan2
        (2, -3, 1 + 5 / 360),
    ],
)
def test_seam_from_the_points_and_stamp_from_the_cameras(seam_deg, stamp_deg, stamp_fraction):
    spin = infer_lidar_model(sweeps(), triggered(stamp_deg), turn(seam_deg))
    assert np.rad2deg(spin.seam_rad) == pytest.approx(seam_deg % 360, abs=0.01)
    assert spin.stamp_fraction == pytest.approx(stamp_fraction, abs=1e-4)
    assert (spin.clockwise, spin.period_s, spin.compensated) == (True, 0.05, True)


def test_rings_that_begin_one_after_the_other():
    spin = infer_lidar_model(sweeps(), triggered(110), turn(110, stagger_deg=0.1))
    # Between the first ring's start and the last one's, near the first.
    assert 110 - 0.1 * RINGS / 2 < np.rad2deg(spin.seam_rad) <= 110.01


def test_points_close_to_the_car_do_not_count():
    near, far = turn(20, range_m=2.0), turn(110)
    both = Points(
        *(np.concatenate([getattr(p, name) for p in (near, far)]) for name in ("xyz_lidar", "intensity", "ring"))
    )
    assert np.rad2deg(infer_lidar_model(sweeps(), [], both).seam_rad) == pytest.approx(110, abs=0.01)


@pytest.mark.parametrize("period_us", [96_000, 100_000, 103_500, 120_000])
def test_a_turn_of_a_tenth_of_a_second_is_kittis(period_us):
    assert infer_lidar_model(sweeps(period_us), triggered(110), turn(91)) == KITTI


@pytest.mark.parametrize("period_us", [50_000, 500_000])
def test_other_periods_are_nuscenes(period_us):
    spin = infer_lidar_model(sweeps(period_us), triggered(110), turn(91))
    assert spin.clockwise
    assert spin.period_s == 0.05


def test_one_lost_sweep_does_not_change_the_period():
    gap = [*sweeps(100_000, 4), *sweeps(100_000, 8)[6:]]
    assert infer_lidar_model(gap, [], turn(91)) == KITTI


@pytest.mark.parametrize(
    "points",
    [
        shuffled(turn(91)),
        turn(91, clockwise=False),
        turn(91, share=0.5),
        Points(np.zeros((0, 3), np.float32), np.zeros(0, np.float32), np.zeros(0, np.uint8)),
    ],
    ids=["shuffled", "counter-clockwise", "half a turn", "no points"],
)
def test_order_that_tells_nothing_leaves_the_nominal_model(points):
    assert infer_lidar_model(sweeps(), triggered(105), points) == NUSCENES
    assert infer_lidar_model(sweeps(count=1), [], points) == NUSCENES


@pytest.mark.parametrize(
    "exposures",
    [
        [],
        triggered(60)[:2],
        cameras(dict.fromkeys(CHANNELS_DEG.values(), 0)),  # all at once: not triggered by the beam
    ],
    ids=["none", "two", "not triggered"],
)
def test_cameras_that_tell_nothing_leave_the_nominal_stamp(exposures):
    spin = infer_lidar_model(sweeps(), exposures, turn(91))
    assert np.rad2deg(spin.seam_rad) == pytest.approx(91, abs=0.01)
    assert spin.stamp_fraction == pytest.approx(1 - 19 / 360, abs=1e-4)


def test_the_simulated_lidar_is_recognised(tiny_dataset):
    dataset = NuScenes(tiny_dataset)
    spin = dataset.scene(dataset.scene_names[0]).spin
    # Points are moved to the pose at the stamp, which turns near ones by a few degrees as seen from the lidar.
    assert np.rad2deg(spin.seam_rad) == pytest.approx(110, abs=5)
    assert spin.stamp_fraction == pytest.approx(1, abs=0.02)
    assert spin.clockwise
    assert spin.compensated


def test_real_lidars_are_recognised(recording):
    dataset = NuScenes(recording)
    spin = dataset.scene(dataset.scene_names[0]).spin
    if "kitti" in recording.name:
        assert spin == KITTI
    else:
        assert np.rad2deg(spin.seam_rad) == pytest.approx(95, abs=10)
        assert spin.stamp_fraction == pytest.approx(0.97, abs=0.03)


def test_a_given_model_is_taken_as_it_is(tiny_dataset):
    dataset = NuScenes(tiny_dataset)
    given = LidarModel(period_s=0.0625)
    assert dataset.scene(dataset.scene_names[0], spin=given).spin is given
