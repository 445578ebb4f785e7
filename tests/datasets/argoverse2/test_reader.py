"""Argoverse 2 logs: the real sample where it is at hand, and logs written from the simulated world."""

import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import feather, ipc

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.pipeline import accumulate_scene
from densegt.accumulation.timing import azimuth_times
from densegt.datasets import open_recording
from densegt.datasets.argoverse2.calibration import LIDARS
from densegt.datasets.recording import TakesSubmissions
from densegt.datasets.scene import Scene
from densegt.errors import InputError
from densegt.geometry import se3

from ..mutations import small
from ..writers.argoverse2 import write_feather, write_log

# Whole scenes are simulated, read or rendered.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def scene(tiny_dataset: Path) -> Scene:
    return small(tiny_dataset)


@pytest.fixture
def log(scene: Scene, tmp_path: Path) -> Path:
    """A log of three sweeps with all returns in the upper lidar, in a split named val."""
    write_log(scene, tmp_path / "av2" / "val" / scene.name)
    return tmp_path / "av2" / "val" / scene.name


def columns_of(path: Path) -> dict[str, np.ndarray]:
    with ipc.open_file(pa.BufferReader(path.read_bytes())) as file:
        table = file.read_all()
    return {name: np.array(table[name].to_pylist()) for name in table.column_names}


def test_a_log_a_split_and_the_folder_above(log: Path) -> None:
    for root in (log, log.parent, log.parents[1]):
        recording = open_recording(root)
        assert list(recording.scene_names) == [log.name]
        assert recording.validation_scenes() == {log.name}
        assert (root / recording.scene(log.name).cameras[0].filename).is_file()
    assert pickle.loads(pickle.dumps(recording)).fingerprint(log.name) == recording.fingerprint(log.name)


def test_what_was_written_arrives(scene: Scene, log: Path) -> None:
    recording = open_recording(log)
    read = recording.scene(log.name)
    assert [lidar.channel for lidar in read.lidars] == list(LIDARS)
    assert len(read.sweeps) == 2 * len(scene.sweeps)
    for sweep, written in zip(read.sweeps[::2], scene.sweeps, strict=True):
        assert sweep.timestamp_us == written.timestamp_us
        np.testing.assert_allclose(sweep.T_global_ego, written.T_global_ego, atol=1e-9)
        points, there = recording.read_points(sweep), scene.read_points(written)
        reach = np.linalg.norm(there.xyz_lidar, axis=1)
        error = np.linalg.norm(points.xyz_lidar - there.xyz_lidar, axis=1)
        # float16 in the ego frame, at most half a step in each of three directions.
        assert (error < 1e-3 + 2.0**-10 * (reach + 2)).all()
        np.testing.assert_array_equal(points.ring, there.ring)
        assert points.time_s is not None
        # The model measured from the points tells the same times as the file.
        told = azimuth_times(points.xyz_lidar, sweep.T_ego_lidar, sweep.lidar_model)
        assert np.median(np.abs(told - points.time_s)) < 1e-4
    assert not any(len(recording.read_points(sweep).ring) for sweep in read.sweeps[1::2])
    assert len(read.cameras) == len(scene.cameras)
    assert {track.token for track in read.tracks} == {track.token for track in scene.tracks}
    for track in read.tracks:
        (written_track,) = [t for t in scene.tracks if t.token == track.token]
        np.testing.assert_allclose(track.T_global_box, written_track.T_global_box, atol=1e-6)


def test_lasers_are_told_apart_by_elevation_and_not_by_number(log: Path) -> None:
    before = open_recording(log)
    points = before.read_points(before.scene(log.name).sweeps[0])
    for path in (log / "sensors" / "lidar").glob("*"):
        columns = columns_of(path)
        columns = {name: values.astype("f4") if name in "xyz" else values for name, values in columns.items()}
        columns["laser_number"] = (columns["laser_number"] + 32).astype(np.uint8)
        write_feather(path, columns | {"offset_ns": columns["offset_ns"].astype(np.int32)})
    after = open_recording(log)
    np.testing.assert_allclose(after.read_points(after.scene(log.name).sweeps[0]).xyz_lidar, points.xyz_lidar)


def test_no_images_is_a_virtual_camera_at_the_keyframe(scene: Scene, log: Path) -> None:
    shutil.rmtree(log / "sensors" / "cameras")
    read = open_recording(log).scene(log.name)
    assert {camera.timestamp_us for camera in read.cameras} == {scene.sweeps[0].timestamp_us}
    assert not any(camera.image_path.exists() for camera in read.cameras)
    np.testing.assert_array_equal(read.cameras[0].T_global_ego, read.sweeps[0].T_global_ego)


def test_no_annotations_is_no_tracks(log: Path) -> None:
    (log / "annotations.feather").unlink()
    assert open_recording(log).scene(log.name).tracks == ()
    assert open_recording(log).keyframes(log.name)[0].boxes.categories == ()


def test_a_camera_without_intrinsics_is_left_out(log: Path) -> None:
    path = log / "calibration" / "intrinsics.feather"
    columns = columns_of(path)
    write_feather(path, {name: values[1:] for name, values in columns.items()})
    read = open_recording(log).scene(log.name)
    assert columns["sensor_name"][0] not in {camera.channel for camera in read.cameras}
    with pytest.raises(InputError, match="no camera"):
        open_recording(log).scene(log.name, cameras=[columns["sensor_name"][0]])


def poses_a_nanosecond_off(log: Path) -> None:
    columns = columns_of(log / "city_SE3_egovehicle.feather")
    columns["timestamp_ns"] = columns["timestamp_ns"] + 1
    write_feather(log / "city_SE3_egovehicle.feather", columns)


def stamps_as_float64(log: Path) -> None:
    columns = columns_of(log / "city_SE3_egovehicle.feather")
    columns["timestamp_ns"] = columns["timestamp_ns"].astype(np.float64)
    write_feather(log / "city_SE3_egovehicle.feather", columns)


def no_lower_lidar(log: Path) -> None:
    columns = columns_of(log / "calibration" / "egovehicle_SE3_sensor.feather")
    keep = columns["sensor_name"] != "down_lidar"
    write_feather(log / "calibration" / "egovehicle_SE3_sensor.feather", {name: v[keep] for name, v in columns.items()})


def no_sweep(log: Path) -> None:
    shutil.rmtree(log / "sensors" / "lidar")


def sweep_by_name(log: Path) -> None:
    path = next((log / "sensors" / "lidar").glob("*"))
    path.rename(path.with_name("first.feather"))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (poses_a_nanosecond_off, "no pose for .* ns"),
        (stamps_as_float64, "'timestamp_ns' is double, not whole numbers"),
        (no_lower_lidar, "no down_lidar"),
        (no_sweep, "no sweep in it"),
        (sweep_by_name, "named by its stamp in nanoseconds"),
    ],
)
def test_what_cannot_be_read_is_refused(spoil: Callable[[Path], None], words: str, log: Path) -> None:
    spoil(log)
    with pytest.raises(InputError, match=words):
        open_recording(log).scene(log.name)


def test_the_real_sample(find_recording: Callable[[str], Path]) -> None:
    recording = open_recording(find_recording("argoverse2-log"))
    (name,) = recording.scene_names
    scene = recording.scene(name)
    assert (len(scene.sweeps), len(scene.cameras), len(scene.tracks)) == (4, 9, 114)
    up, down = (sweep.lidar for sweep in scene.sweeps[:2])
    # Half a turn apart.
    assert up.model is not None
    assert down.model is not None
    ahead = [m.scan_start_azimuth_rad - 2 * np.pi * m.stamp_fraction for m in (up.model, down.model)]
    assert np.cos(ahead[0] - ahead[1]) == pytest.approx(-1, abs=0.01)
    for sweep in scene.sweeps:
        points = recording.read_points(sweep)
        assert 47_000 < len(points.ring) < 52_000
        x, y, z = points.xyz_lidar.T
        elevation = np.arctan2(z, np.hypot(x, y))[np.hypot(x, y) > 3]
        ring = points.ring[np.hypot(x, y) > 3]
        # In its own frame a laser sees everything at one elevation.
        assert np.mean([np.std(elevation[ring == r]) for r in range(32)]) < np.deg2rad(0.1)
    table = feather.read_table(next(find_recording("argoverse2-log").glob("val/*/annotations.feather")))
    keyframe = recording.keyframes(name)[0]
    stamp_ns = int(keyframe.sample_token.split("_")[1])
    here = [row for row in table.to_pylist() if row["timestamp_ns"] == stamp_ns]
    assert len(keyframe.boxes.categories) == len(here)
    T_ego_box = se3.inverse(keyframe.T_global_ego) @ keyframe.boxes.T_global_box
    centres = {tuple(np.round(T[:3, 3], 6)) for T in T_ego_box}
    assert centres == {tuple(np.round([row["tx_m"], row["ty_m"], row["tz_m"]], 6)) for row in here}


def test_depth_of_the_real_sample_without_images(find_recording: Callable[[str], Path]) -> None:
    recording = open_recording(find_recording("argoverse2-log"))
    scene = recording.scene(recording.scene_names[0], cameras=["ring_front_center"])
    ((_, depth),) = accumulate_scene(scene, AccumulateConfig())
    # Two sweeps: a sixth of the picture, road below and houses above.
    assert 0.1 < (depth.depth_m > 0).mean() < 0.4
    middle = depth.depth_m[:, 700:850]
    near, far = middle[1300:], middle[1030:1090]
    assert np.median(near[near > 0]) < np.median(far[far > 0])


def test_detections_in_the_data_sets_own_form(log: Path, tmp_path: Path) -> None:
    """Labels said back as detections are the annotations of the keyframe: ego frame, metres, one row a box."""
    recording = open_recording(log)
    keyframe = recording.keyframes(log.name)[0]
    boxes = keyframe.boxes
    rows = [
        {
            "translation": T[:3, 3], "rotation": se3.to_quaternion(T), "size": size[[1, 0, 2]], "detection_score": 0.5,
            "detection_name": name,
        }
        for T, size, name in zip(boxes.T_global_box, boxes.size_lwh_m, boxes.classes, strict=True) if name == "car"
    ]  # fmt: skip
    assert rows
    assert isinstance(recording, TakesSubmissions)
    recording.write_submission(tmp_path / "s.feather", {keyframe.sample_token: rows}, [keyframe])
    got, annotated = columns_of(tmp_path / "s.feather"), columns_of(log / "annotations.feather")
    mine = (annotated["timestamp_ns"] == got["timestamp_ns"][0]) & (annotated["category"] == "REGULAR_VEHICLE")
    assert len(got["score"]) == mine.sum() == len(rows)
    assert set(got["log_id"]) == {log.name}
    for name in ("tx_m", "ty_m", "tz_m"):
        np.testing.assert_allclose(np.sort(got[name]), np.sort(annotated[name][mine]), atol=0.02)
