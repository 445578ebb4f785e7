"""KITTI-360 as its description tells it: written from the simulated world, since there is no sample."""

import numpy as np
import pytest

from densegt.datasets import open_recording, recognised
from densegt.errors import InputError

from ..copies import replace
from ..writers.kitti360 import NAME, write_360


@pytest.fixture
def written(kitti_raw, tmp_path):
    """The folder, and the same drive read as KITTI raw."""
    return tmp_path / "360", write_360(kitti_raw, tmp_path / "360")


def test_the_same_scene_as_from_kitti_raw(written):
    root, raw = written
    assert recognised(root) == "kitti-360"
    recording = open_recording(root)
    scene = recording.scene(NAME)
    assert recording.scene_names == [NAME]
    np.testing.assert_allclose(scene.lidars[0].T_ego_lidar, raw.lidars[0].T_ego_lidar, atol=1e-8)
    assert scene.lidars[0].model == raw.lidars[0].model
    for ours, theirs in zip(scene.cameras, raw.cameras, strict=True):
        np.testing.assert_allclose(ours.T_ego_cam, theirs.T_ego_cam, atol=1e-8)
        np.testing.assert_allclose(ours.K, theirs.K)
    first = raw.sweeps[0].T_global_ego[:3, 3]
    for ours, theirs in zip(scene.sweeps, raw.sweeps, strict=True):
        expected = theirs.T_global_ego.copy()
        expected[:3, 3] -= first
        np.testing.assert_allclose(ours.T_global_ego, expected, atol=1e-6)
        assert ours.timestamp_us == theirs.timestamp_us
    np.testing.assert_array_equal(
        scene.read_points(scene.sweeps[2]).xyz_lidar, raw.read_points(raw.sweeps[2]).xyz_lidar
    )
    assert len(recording.keyframes(NAME)) == recording.keyframe_count(NAME)
    assert recording.validation_scenes() == {NAME}


def test_poses_between_are_interpolated_and_frames_outside_left_out(kitti_raw, tmp_path, caplog):
    raw = write_360(kitti_raw, tmp_path / "360", left_out=(0, 1, 4, len(open_raw(kitti_raw).sweeps) - 1))
    scene = open_recording(tmp_path / "360").scene(NAME)
    assert [int(s.path.stem) for s in scene.sweeps] == list(range(2, len(raw.sweeps) - 1))
    between, origin = scene.sweeps[2].T_global_ego[:3, 3], raw.sweeps[2].T_global_ego[:3, 3]
    np.testing.assert_allclose(between, raw.sweeps[4].T_global_ego[:3, 3] - origin, atol=0.01)


def open_raw(root):
    recording = open_recording(root)
    return recording.scene(recording.scene_names[0])


def test_what_cannot_be_is_said_in_one_line(written):
    root, _ = written
    poses = root / "data_poses" / f"{NAME}_sync" / "poses.txt"
    for path, content, says in (
        (poses, b"", "no pose in it"),
        (poses, b"0 1 0 0", "13"),
        (poses, b"9999 1 0 0 0 0 1 0 0 0 0 1 0", "frame 9999 is not"),
        (poses, b"0 1 0 0 0 0 1 0 0 0 0 3 0", "line 1 is no rotation"),
        (root / "calibration" / "calib_cam_to_pose.txt", b"image_01: 1", "no image_00 in it"),
        (root / "calibration" / "calib_cam_to_velo.txt", b"1 2 3", "3 finite numbers"),
    ):
        before = path.read_bytes()
        replace(path, content)
        with pytest.raises(InputError, match=says) as caught:
            open_recording(root).scene(NAME)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
        replace(path, before)
