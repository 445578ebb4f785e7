"""Drives of KITTI raw as scenes: calibration, poses, points, boxes, and what is missing."""

import logging
import pickle
import shutil
from dataclasses import replace as replace_fields

import numpy as np
import pytest

from benchmarks.robustness.fuzz_drives import fuzz
from densegt.accumulation.timing import EgoPath
from densegt.datasets import open_recording
from densegt.datasets.kitti_raw.drive import warn_once
from densegt.datasets.kitti_raw.oxts import poses_of
from densegt.datasets.kitti_raw.text_files import read_stamps_us
from densegt.datasets.kitti_raw.velodyne import rings
from densegt.datasets.recording import RecordingOptions
from densegt.errors import InputError
from densegt.geometry import se3

from ..copies import replace
from ..writers.kitti_raw import NAME, packet

# Whole scenes are simulated, read or rendered.
pytestmark = pytest.mark.slow


def drive_of(root):
    (drive,) = root.glob("*/*_sync")
    return drive


def fails(root, *says, **options):
    with pytest.raises(InputError) as caught:
        open_recording(root, format="kitti-raw", options=RecordingOptions(**options)).scene(NAME)
    message = str(caught.value)
    assert "\n" not in message
    for words in says:
        assert words in message
    return message


@pytest.fixture(scope="module")
def scene(kitti_raw):
    return open_recording(kitti_raw).scene(NAME)


@pytest.mark.parametrize("folder", ["", "2011_09_26", f"2011_09_26/{NAME}_sync"])
def test_a_drive_a_day_or_all_days(kitti_raw, folder):
    recording = open_recording(kitti_raw / folder)
    assert recording.scene_names == [NAME]
    camera = recording.scene(NAME).cameras[0]
    assert recording.root / camera.filename == camera.image_path
    assert pickle.loads(pickle.dumps(recording)).fingerprint(NAME) == recording.fingerprint(NAME)


def test_calibration_is_what_was_written(scene, world):
    front = next(camera for camera in world.cameras if camera.channel == "CAM_FRONT")
    np.testing.assert_allclose(scene.cameras[0].K, front.K, atol=1e-9)
    np.testing.assert_allclose(scene.cameras[0].T_ego_cam, front.T_ego_cam, atol=1e-9)
    np.testing.assert_allclose(scene.lidars[0].T_ego_lidar[:3, 3], world.lidars[0].T_ego_lidar[:3, 3], atol=1e-9)


def test_a_second_camera_stands_beside_the_first(damaged):
    day = damaged / "2011_09_26"
    text = (day / "calib_cam_to_cam.txt").read_text()
    K = open_recording(damaged).scene(NAME).cameras[0].K
    P = np.column_stack([K, K @ (-0.54, 0.01, 0.002)])
    numbers = " ".join(map(str, P.ravel().tolist()))
    replace(day / "calib_cam_to_cam.txt", f"{text}S_rect_01: 160 90\nP_rect_01: {numbers}\n".encode())
    shutil.copytree(drive_of(damaged) / "image_00", drive_of(damaged) / "image_01")
    left, right = open_recording(damaged).scene(NAME).cameras[:2]
    assert (left.channel, right.channel) == ("image_00", "image_01")
    np.testing.assert_allclose(se3.inverse(right.T_ego_cam) @ left.T_ego_cam, [
        [1, 0, 0, -0.54], [0, 1, 0, 0.01], [0, 0, 1, 0.002], [0, 0, 0, 1]], atol=1e-9)  # fmt: skip


def test_poses_are_interpolated_to_the_sweeps_own_stamps(scene, world):
    """Packets have other stamps than sweeps; only the origin differs."""
    expected = EgoPath.of(world).poses_at(np.array([float(s.timestamp_us) for s in scene.sweeps]))
    ours = np.stack([sweep.T_global_ego for sweep in scene.sweeps])
    relative = [se3.inverse(T[3]) @ T for T in (expected, ours)]
    # The first stamp lies before the first packet.
    np.testing.assert_allclose(relative[1][1:], relative[0][1:], atol=2e-3)
    assert np.abs(ours[0, :3, 3]).max() < 1


def test_points_stand_still_in_global_at_their_own_time(scene, world):
    """The same wall from two sweeps: the clock is right if uncompensated points agree with the world's."""
    from scipy.spatial import cKDTree

    from densegt.accumulation.timing import point_times, to_global

    T_ours_world = scene.sweeps[3].T_global_ego @ se3.inverse(
        EgoPath.of(world).poses_at(np.array([float(scene.sweeps[3].timestamp_us)]))[0]
    )

    def cloud(one):
        path, parts = EgoPath.of(one), []
        for sweep in one.sweeps[3:6]:
            points = one.read_points(sweep)
            parts.append(to_global(points.xyz_lidar, sweep, point_times(points, sweep), path))
        return np.concatenate(parts)

    theirs = cKDTree(se3.apply(T_ours_world, cloud(world)))
    assert np.median(theirs.query(cloud(scene))[0]) < 0.003
    # Another clock is told from the right one.
    model = scene.lidars[0].model
    for wrong in (replace_fields(model, clockwise=False), replace_fields(model, compensated=True)):
        assert np.median(theirs.query(cloud(scene.with_lidar_models({"velodyne": wrong})))[0]) > 0.01


def test_clock(scene):
    model = scene.lidars[0].model
    assert (model.clockwise, model.compensated, model.stamp_fraction) == (True, False, 0.5)
    assert model.scan_start_azimuth_rad == pytest.approx(np.pi)
    assert model.period_s == pytest.approx(0.05, abs=1e-6)


def test_rings_are_counted_from_the_top(scene):
    points = scene.read_points(scene.sweeps[2])
    elevation = points.xyz_lidar[:, 2] / np.linalg.norm(points.xyz_lidar[:, :2], axis=1)
    mean = [np.median(elevation[points.ring == ring]) for ring in np.unique(points.ring)]
    assert len(mean) == 32
    assert (np.diff(mean) < 0).all()


def test_a_step_back_across_the_seam_is_no_new_ring():
    azimuth = np.deg2rad([359.9, 0.1, 359.95, 0.2, 90, 180.1, 179.9, 200, 359, 1])
    rows = np.column_stack([np.cos(azimuth), np.sin(azimuth), azimuth, azimuth]).astype(np.float32)
    assert rings(rows).tolist() == [0, 1, 0, 1, 1, 1, 1, 1, 1, 2]


def test_boxes_are_those_of_the_world(scene, world):
    longest = {track.token: track for track in world.tracks if len(track.timestamps_us) > 1}
    assert len(scene.tracks) == len(longest)
    T_ours_world = scene.sweeps[3].T_global_ego @ se3.inverse(
        EgoPath.of(world).poses_at(np.array([float(scene.sweeps[3].timestamp_us)]))[0]
    )
    # Fifty metres away, a ten thousandth of a radian between two interpolated poses is half a centimetre.
    for ours, theirs in zip(scene.tracks, longest.values(), strict=True):
        np.testing.assert_allclose(ours.size_lwh_m, theirs.size_lwh_m, atol=1e-9)
        expected = EgoPath(theirs.timestamps_us, theirs.T_global_box).poses_at(ours.timestamps_us.astype(float))
        np.testing.assert_allclose(ours.T_global_box, T_ours_world @ expected, atol=0.03)


def test_keyframes(kitti_raw):
    recording = open_recording(kitti_raw, options=RecordingOptions(keyframe_every=7))
    scene, keyframes = recording.scene(NAME), recording.keyframes(NAME)
    assert [k.sample_token for k in keyframes] == [f"{NAME}_{n:010d}" for n in range(0, len(scene.sweeps), 7)]
    assert recording.keyframe_count(NAME) == len(keyframes)
    assert len(recording.scene(NAME, keyframes_only=True).sweeps) == len(keyframes)
    assert recording.steps(NAME) == len(scene.sweeps) + len(scene.cameras)
    assert {"car", None} >= set(keyframes[1].boxes.classes) - {"truck", "pedestrian", "bicycle"}
    assert len(keyframes[1].boxes.classes) > 0


def test_exposure_is_the_sweeps_stamp_or_the_images(damaged):
    stamps = drive_of(damaged) / "image_00" / "timestamps.txt"
    replace(stamps, stamps.read_text().replace("417\n", "417\n").encode())
    at_sweep = open_recording(damaged).scene(NAME).cameras[1]
    at_image = open_recording(damaged, options=RecordingOptions(exposure="image")).scene(NAME).cameras[1]
    assert at_sweep.timestamp_us in {s.timestamp_us for s in open_recording(damaged).scene(NAME).sweeps}
    assert at_image.timestamp_us == read_stamps_us(stamps)[int(at_image.sample_token[-10:])]


def test_a_stamp_keeps_its_last_digit(tmp_path):
    path = tmp_path / "timestamps.txt"
    path.write_text("2011-09-26 13:02:25.951199337\n2011-09-26 13:02:26\n2011-09-26 13:02:26.05\n")
    assert read_stamps_us(path).tolist() == [1317042145951199, 1317042146000000, 1317042146050000]


def test_mercator():
    """A hundred metres to the north and fifty to the east, on the ground: the projection keeps lengths."""
    first, second = np.eye(4), se3.from_yaw(0.3, (50, 100, 1))
    T = poses_of(np.array([packet(first), packet(second)]))
    np.testing.assert_allclose(T[1], second, atol=1e-6)


def test_holes_are_named_and_left_out(damaged, caplog):
    data = drive_of(damaged) / "velodyne_points" / "data"
    (data / "0000000004.bin").unlink()
    (drive_of(damaged) / "oxts" / "data" / "0000000009.txt").unlink()
    warn_once.cache_clear()
    with caplog.at_level(logging.WARNING):
        scene = open_recording(damaged).scene(NAME)
    assert f"{data}: 1 of {len(scene.sweeps) + 1} sweeps missing: 0000000004" in caplog.text
    assert [int(s.path.stem) for s in scene.sweeps][3:5] == [3, 5]


def test_sweeps_without_a_pose_are_named_and_left_out(damaged, caplog):
    for path in sorted((drive_of(damaged) / "oxts" / "data").iterdir())[12:]:
        path.unlink()
    warn_once.cache_clear()
    with caplog.at_level(logging.WARNING):
        scene = open_recording(damaged).scene(NAME)
    assert "no pose is known" in caplog.text
    assert [int(s.path.stem) for s in scene.sweeps] == list(range(len(scene.sweeps)))
    assert len(scene.sweeps) == 12 + 5  # a quarter of a second farther


def test_a_drive_without_points_is_set_aside(damaged, caplog):
    shutil.copytree(drive_of(damaged), damaged / "2011_09_26" / "2011_09_26_drive_0001_sync")
    shutil.rmtree(damaged / "2011_09_26" / "2011_09_26_drive_0001_sync" / "velodyne_points" / "data")
    warn_once.cache_clear()
    with caplog.at_level(logging.WARNING):
        recording = open_recording(damaged)
    assert recording.scene_names == [NAME]
    assert "2011_09_26_drive_0001" in caplog.text
    with pytest.raises(InputError, match="no sweep in it, so 2011_09_26_drive_0001 is no scene"):
        recording.scene("2011_09_26_drive_0001")
    with pytest.raises(InputError, match="no sweep of the velodyne"):
        open_recording(damaged / "2011_09_26" / "2011_09_26_drive_0001_sync")


def test_what_cannot_be_is_said_in_one_line(damaged):
    drive = drive_of(damaged)
    with pytest.raises(InputError, match="no camera 'image_03'; there is image_00"):
        open_recording(damaged).scene(NAME, cameras=["image_03"])
    with pytest.raises(InputError, match="no drive 'x'"):
        open_recording(damaged).scene("x")
    with pytest.raises(InputError, match="no versions"):
        open_recording(damaged, version="v1.0-mini")
    with pytest.raises(InputError, match="no synchronised and rectified drive"):
        open_recording(drive / "oxts", format="kitti-raw")
    for path, content, says in (
        (drive / "oxts" / "data" / "0000000003.txt", b"49 8 nan" + b" 0" * 27, "29 finite numbers of 30"),
        (drive / "oxts" / "data" / "0000000003.txt", b"149 8 1" + b" 0" * 27, "no latitude"),
        (drive / "velodyne_points" / "timestamps.txt", b"2011-09-26 13:02:25.95\n" * 99, "line 2 is not after"),
        (drive / "velodyne_points" / "timestamps.txt", b"2011-09-26 13:02:25.95\n", "1 stamps, but there is"),
        (drive / "velodyne_points" / "timestamps_end.txt", b"2011-09-26 13:02:25.95\n", "1 stamps, but"),
        (drive.parent / "calib_imu_to_velo.txt", b"R: 1 0 0 0 1 0 0 0 2\nT: 0 0 0\n", "R is no rotation"),
        (drive.parent / "calib_imu_to_velo.txt", b"R: 1 0 0 0 1 0 0 0 1\n", "no T in it"),
        (drive / "tracklet_labels.xml", b"<a><tracklets><count>3</count></tracklets></a>", "count says 3"),
        (drive / "tracklet_labels.xml", b"<a><tracklets>", "not whole XML"),
    ):
        before = path.read_bytes()
        replace(path, content)
        fails(damaged, str(path), says)
        replace(path, before)


def test_the_fingerprint_tells_what_was_changed(damaged):
    before = open_recording(damaged).fingerprint(NAME)
    assert open_recording(damaged).fingerprint(NAME) == before
    assert open_recording(damaged, options=RecordingOptions(exposure="image")).fingerprint(NAME) != before
    assert open_recording(damaged, options=RecordingOptions(keyframe_every=3)).fingerprint(NAME) != before
    replace(drive_of(damaged) / "oxts" / "data" / "0000000003.txt", b"49 8 100" + b" 0" * 27)
    assert open_recording(damaged).fingerprint(NAME) != before


def test_damaged_drives_are_read_or_refused_in_one_line(kitti_raw, tmp_path):
    tally = fuzz(kitti_raw, tmp_path / "damaged", range(150))
    assert not tally["failures"]
    assert min(tally["read"], tally["refused"]) > 30


# --- real files ---


def test_the_real_drive(find_recording):
    recording = open_recording(find_recording("kitti-raw"))
    assert recording.scene_names == [NAME]
    scene = recording.scene(NAME)
    points = scene.read_points(scene.sweeps[0])
    assert len(points.ring) == 123_397
    assert np.unique(points.ring).tolist() == list(range(64))
    assert [camera.channel for camera in scene.cameras] == [f"image_0{n}" for n in range(4)]
    assert scene.lidars[0].model.period_s == pytest.approx(0.1032, abs=2e-4)
    to_right = se3.inverse(scene.cameras[2].T_ego_cam) @ scene.cameras[3].T_ego_cam
    np.testing.assert_allclose(to_right[:3, 3], (0.5327, -0.0026, -0.0027), atol=0.01)


def test_real_tracklets(find_recording):
    from densegt.datasets.kitti_raw.tracklets import read_tracklets

    path = find_recording("kitti-raw") / "2011_09_26" / "2011_09_26_drive_0001_sync" / "tracklet_labels.xml"
    tracklets = read_tracklets(path)
    assert len(tracklets) == 15
    bottoms = [t.T_lidar_box[:, 2, 3] - t.size_lwh_m[2] / 2 for t in tracklets]
    assert np.median(np.concatenate(bottoms)) == pytest.approx(-1.6, abs=0.1)
