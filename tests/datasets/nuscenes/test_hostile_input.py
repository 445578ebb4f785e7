"""Whatever a file holds, the reader either reads it or names the file in one line."""

import json

import pytest

from densegt.datasets.nuscenes import NuScenes
from densegt.datasets.recording import RecordingOptions
from densegt.errors import InputError

from ..copies import change, first_file, replace, rows_of, table, write_rows

NAN, INF = float("nan"), float("inf")


def read_everything(root):
    dataset = NuScenes(root, options=RecordingOptions(strict=True))
    for name in dataset.scene_names:
        scene = dataset.scene(name)
        for sweep in scene.sweeps:
            scene.read_points(sweep)


def fails(root, *says):
    with pytest.raises(InputError) as caught:
        read_everything(root)
    message = str(caught.value)
    assert "\n" not in message
    for words in says:
        assert words in message
    return message


def test_an_undamaged_copy_reads(damaged):
    read_everything(damaged)


def test_no_such_folder(tmp_path):
    fails(tmp_path / "nowhere", "nowhere", "no such folder")


def test_a_folder_without_tables(tmp_path):
    fails(tmp_path, str(tmp_path), "no v1.0-*")


def test_several_versions(damaged):
    (damaged / "v1.0-trainval").mkdir()
    fails(damaged, "v1.0-mini, v1.0-trainval", "--version")
    assert NuScenes(damaged, "v1.0-mini").scene_names
    with pytest.raises(InputError, match=r"no version 'v1.0-test'"):
        NuScenes(damaged, "v1.0-test")


def test_a_version_cannot_lead_elsewhere(damaged):
    with pytest.raises(InputError, match="no version"):
        NuScenes(damaged / "v1.0-mini", "../v1.0-mini")


def test_unknown_scene_and_camera(damaged):
    dataset = NuScenes(damaged)
    with pytest.raises(InputError, match=r"scene.json: no scene 'scene-9999'; there is scene-0001"):
        dataset.scene("scene-9999")
    with pytest.raises(InputError, match=r"no camera 'CAM_UP'; there is CAM_BACK, "):
        dataset.scene("scene-0001", cameras=["CAM_UP"])
    with pytest.raises(InputError, match=r"no camera 'LIDAR_TOP'"):
        dataset.scene("scene-0001", cameras=["CAM_FRONT", "LIDAR_TOP"])


@pytest.mark.parametrize("length", [1, 19, 21, 20 * 7 + 13])
def test_truncated_sweep(damaged, length):
    sweep = first_file(damaged, "sweeps/LIDAR_TOP/*")
    replace(sweep, sweep.read_bytes()[:length])
    fails(damaged, str(sweep), f"{length % 20} bytes left over")


@pytest.mark.parametrize("folder", ["samples", "sweeps"])
def test_empty_sweep(damaged, folder):
    sweep = first_file(damaged, f"{folder}/LIDAR_TOP/*")
    replace(sweep, b"")
    fails(damaged, str(sweep), "empty")


@pytest.mark.parametrize("pattern", ["samples/LIDAR_TOP/*", "sweeps/LIDAR_TOP/*", "samples/CAM_BACK/*"])
def test_missing_file(damaged, pattern):
    path = first_file(damaged, pattern)
    path.unlink()
    fails(damaged, str(path), "not there")


def test_points_that_are_none_are_left_out(damaged):
    import numpy as np

    sweep = first_file(damaged, "sweeps/LIDAR_TOP/*")
    rows = np.frombuffer(sweep.read_bytes(), dtype="<f4").reshape(-1, 5).copy()
    rows[0, 0], rows[1, 2], rows[2, 1], rows[3, 3], rows[4, 0] = NAN, INF, -INF, NAN, 3e38
    replace(sweep, rows.tobytes())
    scene = NuScenes(damaged).scene("scene-0001")
    (meta,) = [s for s in scene.sweeps if s.path == sweep]
    points = scene.read_points(meta)
    assert len(points.xyz_lidar) == len(rows) - 5
    np.testing.assert_array_equal(points.xyz_lidar, rows[5:, :3])


@pytest.mark.parametrize("name", ["scene", "sample", "sample_data", "ego_pose", "calibrated_sensor", "sensor"])
def test_a_table_that_is_missing_or_damaged(damaged, name):
    path = table(damaged, name)
    whole = path.read_bytes()
    for data in (b"", whole[: len(whole) // 2], b"\xff\xfe" + whole, b"{}", b"[1, 2]", b"[" * 100_000, b"null"):
        replace(path, data)
        fails(damaged, str(path))
    nested = json.dumps(json.loads(whole)[:1])[:-2] + ', "more": ' + "[" * 100_000 + "]" * 100_000 + "}]"
    replace(path, nested.encode())
    fails(damaged, str(path))
    path.unlink()
    fails(damaged, str(path), "No such file")


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("ego_pose", "rotation", [NAN, 0, 0, 1]),
        ("ego_pose", "rotation", [0, 0, 0, 0]),
        ("ego_pose", "rotation", [1, 0, 0]),
        ("ego_pose", "rotation", "upright"),
        ("ego_pose", "rotation", None),
        ("ego_pose", "rotation", [10**400, 0, 0, 0]),
        ("ego_pose", "translation", [0, INF, 0]),
        ("ego_pose", "translation", [0, 0]),
        ("calibrated_sensor", "rotation", [NAN, 0, 0, 1]),
        ("calibrated_sensor", "translation", [NAN, 0, 0]),
        ("calibrated_sensor", "sensor_token", "nobody"),
        ("sample_annotation", "rotation", [0, 0, 0, NAN]),
        ("sample_annotation", "size", [1, -1, 1]),
        ("sample_annotation", "size", [1, NAN, 1]),
        ("sample_annotation", "size", [1, 1]),
        ("sample_annotation", "instance_token", "nobody"),
        ("sample_annotation", "sample_token", "nobody"),
        ("sample", "scene_token", "nobody"),
        ("sample", "timestamp", 2**70),
        ("sample", "timestamp", "noon"),
        ("sample_data", "timestamp", 2**70),
        ("sample_data", "timestamp", 1.5),
        ("sample_data", "timestamp", NAN),
        ("sample_data", "width", 2**40),
        ("sample_data", "height", -1),
        ("sample_data", "is_key_frame", 1),
        ("sample_data", "sample_token", "nobody"),
        ("sample_data", "sample_token", None),
        ("sample_data", "ego_pose_token", "nobody"),
        ("sample_data", "calibrated_sensor_token", "nobody"),
        ("sample_data", "filename", "../../secret.bin"),
        ("sample_data", "filename", "samples/../../secret.bin"),
        ("sample_data", "filename", "/etc/passwd"),
        ("sample_data", "filename", ""),
        ("sample_data", "filename", "samples"),
        ("sample_data", "filename", "a\0b"),
        ("sample_data", "filename", "a\nb"),
        ("sample_data", "filename", "x" * 5000),
        ("sample_data", "filename", 7),
        ("scene", "name", "../evil"),
        ("scene", "name", ""),
        ("scene", "name", ".hidden"),
        ("instance", "category_token", 3),
    ],
)
def test_a_field_that_cannot_be(damaged, name, field, value):
    change(damaged, name, 0, **{field: value})
    says = fails(damaged)
    assert f"{name}.json" in says


@pytest.mark.parametrize(
    "K", [[[NAN] * 3] * 3, [[1, 2], [3, 4]], [[1, 2, 3], [4]], [[-5, 0, 1], [0, 5, 1], [0, 0, 1]]], ids=str
)
def test_a_camera_that_cannot_be(damaged, K):
    rows = rows_of(damaged, "calibrated_sensor")
    for row in rows:
        row["camera_intrinsic"] = row["camera_intrinsic"] and K
    write_rows(damaged, "calibrated_sensor", rows)
    fails(damaged, str(damaged))


def test_an_image_without_size_in_the_table(damaged):
    rows = rows_of(damaged, "sample_data")
    write_rows(damaged, "sample_data", [{**row, "width": 0} for row in rows])
    before = NuScenes(damaged).scene("scene-0001").cameras
    assert {(camera.width_px, camera.height_px) for camera in before} == {(160, 90)}


def test_two_scenes_of_one_name(damaged):
    (row,) = rows_of(damaged, "scene")
    write_rows(damaged, "scene", [row, {**row, "token": "another"}])
    fails(damaged, "scene.json", "two scenes are named")


def test_a_scene_without_lidar(damaged):
    rows = rows_of(damaged, "sample_data")
    write_rows(damaged, "sample_data", [row for row in rows if "LIDAR" not in row["filename"]])
    fails(damaged, "no lidar sweep")


def test_no_scene(damaged):
    write_rows(damaged, "scene", [])
    fails(damaged, "scene.json", "no scene")


def test_no_boxes_is_no_error(damaged):
    for name in ("sample_annotation", "instance", "category"):
        write_rows(damaged, name, [])
    assert NuScenes(damaged).scene("scene-0001").tracks == ()
