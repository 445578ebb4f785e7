"""The reader against nuscenes-devkit: same sweeps, poses, boxes and projected points."""

import numpy as np
import pytest

from densegt.datasets.nuscenes import NuScenes
from densegt.geometry import boxes, camera, se3


@pytest.fixture(scope="module", params=["simulated", "nuscenes-keyframe", "kitti-street"])
def dataroot(request, find_recording):
    """The simulated dataset and each real recording in turn."""
    if request.param == "simulated":
        return request.getfixturevalue("tiny_dataset")
    return find_recording(request.param)


@pytest.fixture(scope="module")
def devkit(dataroot):
    nuscenes = pytest.importorskip("nuscenes.nuscenes")
    return nuscenes.NuScenes("v1.0-mini", str(dataroot), verbose=False)


@pytest.fixture(scope="module")
def scene(dataroot):
    dataset = NuScenes(dataroot)
    return dataset.scene(dataset.scene_names[0])


def test_scene_names(dataroot, devkit):
    assert NuScenes(dataroot).scene_names == [row["name"] for row in devkit.scene]


def test_sweeps(dataroot, devkit, scene):
    rows = sorted((r for r in devkit.sample_data if r["channel"] == "LIDAR_TOP"), key=lambda r: r["timestamp"])
    assert [s.token for s in scene.sweeps] == [r["token"] for r in rows]
    for sweep, row in zip(scene.sweeps, rows, strict=True):
        assert sweep.timestamp_us == row["timestamp"]
        assert sweep.sample_token == row["sample_token"]
        assert sweep.is_keyframe == row["is_key_frame"]
        assert str(sweep.path) == devkit.get_sample_data_path(row["token"])


def test_sweeps_are_those_of_the_chain(devkit, scene):
    token = devkit.get("sample", devkit.scene[0]["first_sample_token"])["data"]["LIDAR_TOP"]
    chain = []
    while token:
        chain.append(token)
        token = devkit.get("sample_data", token)["next"]
    tokens = [s.token for s in scene.sweeps]
    assert tokens[tokens.index(chain[0]) :] == chain


def test_points(devkit, scene):
    from nuscenes.utils.data_classes import LidarPointCloud

    for sweep in scene.sweeps[:3]:
        theirs = LidarPointCloud.from_file(str(sweep.path)).points
        points = scene.read_points(sweep)
        np.testing.assert_array_equal(points.xyz_lidar, theirs[:3].T)
        np.testing.assert_array_equal(points.intensity, theirs[3])


def pose(row):
    """The devkit's own matrix of an ego pose or a calibrated sensor."""
    from nuscenes.utils.geometry_utils import transform_matrix
    from pyquaternion import Quaternion

    return transform_matrix(row["translation"], Quaternion(row["rotation"]))


def test_poses(devkit, scene):
    for ours, T_ego_sensor in [
        *((s, s.T_ego_lidar) for s in scene.sweeps),
        *((c, c.T_ego_cam) for c in scene.cameras),
    ]:
        row = devkit.get("sample_data", ours.token)
        theirs = pose(devkit.get("ego_pose", row["ego_pose_token"]))
        np.testing.assert_allclose(ours.T_global_ego, theirs, rtol=0, atol=1e-9)
        theirs = pose(devkit.get("calibrated_sensor", row["calibrated_sensor_token"]))
        np.testing.assert_allclose(T_ego_sensor, theirs, rtol=0, atol=1e-9)


def test_cameras(devkit, scene):
    rows = [r for r in devkit.sample_data if r["sensor_modality"] == "camera" and r["is_key_frame"]]
    assert {c.token for c in scene.cameras} == {r["token"] for r in rows}
    assert [c.timestamp_us for c in scene.cameras] == sorted(r["timestamp"] for r in rows)
    for ours in scene.cameras:
        row = devkit.get("sample_data", ours.token)
        _, _, K = devkit.get_sample_data(ours.token)
        np.testing.assert_array_equal(ours.K, K)
        assert (ours.channel, ours.width_px, ours.height_px) == (row["channel"], row["width"], row["height"])
        assert ours.filename == row["filename"]


def test_boxes(devkit, scene):
    ours = {
        (track.token, int(stamp)): (track, T_global_box)
        for track in scene.tracks
        for stamp, T_global_box in zip(track.timestamps_us, track.T_global_box, strict=True)
    }
    seen = 0
    for sample in devkit.sample:
        for box in devkit.get_boxes(sample["data"]["LIDAR_TOP"]):
            annotation = devkit.get("sample_annotation", box.token)
            track, T_global_box = ours[annotation["instance_token"], sample["timestamp"]]
            assert track.category == box.name
            np.testing.assert_allclose(track.size_lwh_m, box.wlh[[1, 0, 2]], atol=1e-9)
            np.testing.assert_allclose(T_global_box[:3, 3], box.center, atol=1e-9)
            np.testing.assert_allclose(T_global_box[:3, :3], box.rotation_matrix, atol=1e-9)
            np.testing.assert_allclose(boxes.corners(T_global_box, track.size_lwh_m), box.corners().T, atol=1e-9)
            seen += 1
    assert seen == len(ours) == len(devkit.sample_annotation)


def test_boxes_in_the_camera(devkit, scene):
    ours = {(t.token, int(us)): T for t in scene.tracks for us, T in zip(t.timestamps_us, t.T_global_box, strict=True)}
    stamps = {sample["token"]: sample["timestamp"] for sample in devkit.sample}
    for exposure in scene.cameras[:6]:
        _, visible, _ = devkit.get_sample_data(exposure.token)
        T_cam_global = se3.inverse(exposure.T_global_cam)
        for box in visible:
            instance = devkit.get("sample_annotation", box.token)["instance_token"]
            T_cam_box = T_cam_global @ ours[instance, stamps[exposure.sample_token]]
            np.testing.assert_allclose(T_cam_box[:3, 3], box.center, atol=1e-8)
            np.testing.assert_allclose(T_cam_box[:3, :3], box.rotation_matrix, atol=1e-8)


def test_projected_points(devkit, scene):
    from nuscenes.utils.geometry_utils import view_points

    keyframes = {s.sample_token: s for s in scene.sweeps if s.is_keyframe}
    for exposure in scene.cameras[:6]:
        sweep = keyframes[exposure.sample_token]
        xyz_cam = their_points_in_cam(devkit, sweep.token, exposure.token, scene.read_points(sweep).xyz_lidar)
        ahead = xyz_cam[:, 2] > 0.5
        assert ahead.any()
        theirs = view_points(xyz_cam[ahead].T, exposure.K, normalize=True)[:2].T
        T_cam_lidar = se3.inverse(exposure.T_global_cam) @ sweep.T_global_lidar
        uv, depth_m = camera.project(exposure.K, se3.apply(T_cam_lidar, scene.read_points(sweep).xyz_lidar))
        np.testing.assert_allclose(uv[ahead], theirs, rtol=1e-9, atol=1e-6)
        np.testing.assert_allclose(depth_m[ahead], xyz_cam[ahead, 2], atol=1e-8)


def their_points_in_cam(devkit, sweep_token, camera_token, xyz_lidar):
    """From lidar over ego, global and the ego at exposure to cam, with the devkit's rows and pyquaternion."""
    from pyquaternion import Quaternion

    xyz = xyz_lidar.astype(np.float64)
    lidar, exposure = (devkit.get("sample_data", token) for token in (sweep_token, camera_token))
    for table, field in (("calibrated_sensor", "calibrated_sensor_token"), ("ego_pose", "ego_pose_token")):
        row = devkit.get(table, lidar[field])
        xyz = xyz @ Quaternion(row["rotation"]).rotation_matrix.T + row["translation"]
    for table, field in (("ego_pose", "ego_pose_token"), ("calibrated_sensor", "calibrated_sensor_token")):
        row = devkit.get(table, exposure[field])
        xyz = (xyz - row["translation"]) @ Quaternion(row["rotation"]).rotation_matrix
    return xyz
