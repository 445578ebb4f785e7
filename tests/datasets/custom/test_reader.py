"""A recording of one's own: what its files say arrives, and what is missing is asked for step by step."""

import runpy
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from densegt.cli.main import group
from PIL import Image

from densegt.datasets import RecordingPath, open_recording
from densegt.datasets.beams import beam_elevations, nearest_beam
from densegt.datasets.check_recording import check_recording
from densegt.datasets.pcd import read_pcd
from densegt.datasets.recording import RecordingOptions
from densegt.errors import InputError

from ..writers.custom import write_pcd

EXAMPLE = Path(__file__).parents[3] / "examples" / "write_custom_recording.py"
START_US = 1_600_000_000_000_000


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """What the example writes: ten sweeps of 26 beams on a straight road at 10 m/s, one camera without images."""
    runpy.run_path(str(EXAMPLE))["main"](tmp_path / "own")
    return tmp_path / "own"


def change(root: Path, old: str, new: str) -> None:
    text = (root / "recording.yaml").read_text()
    assert old in text
    (root / "recording.yaml").write_text(text.replace(old, new))


def said(root: Path) -> str:
    (line,) = check_recording(RecordingPath(root, "custom")).problems
    return line


def test_the_example_is_short_and_whole(own: Path) -> None:
    assert len(EXAMPLE.read_text().splitlines()) <= 60
    report = check_recording(RecordingPath(own))
    assert not report.problems
    assert report.summary() == "0 problems in 1 scene, 10 sweeps, 0 images"
    assert any("2 of 2 images are absent" in note for note in report.notes)


def test_what_the_example_says_arrives(own: Path) -> None:
    recording = open_recording(own)
    scene = recording.scene("drive-1")
    assert [sweep.timestamp_us for sweep in scene.sweeps] == [START_US + 100_000 * k for k in range(10)]
    np.testing.assert_allclose([s.T_global_ego[0, 3] for s in scene.sweeps], np.arange(10.0))
    assert [sweep.is_keyframe for sweep in scene.sweeps] == [k % 5 == 0 for k in range(10)]
    (first, second) = scene.cameras
    assert (first.timestamp_us, second.timestamp_us) == (START_US, START_US + 500_000)
    assert not first.image_path.exists()
    points = recording.read_points(scene.sweeps[0])
    # One ring a beam, and on flat ground each at one height.
    assert points.ring.max() == 25
    x, y, z = points.xyz_lidar.T
    elevation = np.arctan2(z, np.hypot(x, y))
    assert max(np.ptp(elevation[points.ring == ring]) for ring in range(26)) < np.deg2rad(0.1)


def test_keyframes_by_option_and_by_recording_yaml(own: Path) -> None:
    every = RecordingOptions(keyframe_every=2)
    assert open_recording(own, options=every).keyframe_count("drive-1") == 5
    change(own, "cameras:", "keyframe_every: 3\ncameras:")
    assert open_recording(own).keyframe_count("drive-1") == 4


def test_poses_are_interpolated_and_not_guessed(own: Path) -> None:
    poses = own / "scenes" / "drive-1" / "poses.csv"
    lines = poses.read_text().splitlines()
    poses.write_text("\n".join([*lines[:4], *lines[5:]]))
    scene = open_recording(own).scene("drive-1")
    np.testing.assert_allclose(scene.sweeps[3].T_global_ego[0, 3], 3.0)


def test_what_has_no_pose_is_left_out_and_named(own: Path) -> None:
    poses = own / "scenes" / "drive-1" / "poses.csv"
    lines = poses.read_text().splitlines()
    poses.write_text("\n".join(lines[:-1]))
    images = own / "scenes" / "drive-1" / "images" / "FRONT"
    images.mkdir(parents=True)
    for stamp_us in (START_US + 500_000, START_US - 60_000):
        Image.new("RGB", (640, 360)).save(images / f"{stamp_us}.jpg")
    scene = open_recording(own).scene("drive-1")
    assert [sweep.timestamp_us for sweep in scene.sweeps][-1] == START_US + 800_000
    assert [camera.timestamp_us for camera in scene.cameras] == [START_US + 500_000]
    sweep, image = map(str, scene.set_aside)
    assert f"{START_US + 900_000}.npz: poses.csv: no pose at {START_US + 900_000} us, 0.1 s after the last" in sweep
    assert f"{START_US - 60_000}.jpg" in image
    assert "0.06 s before the first" in image
    assert list(check_recording(RecordingPath(own)).problems) == [sweep, image]
    with pytest.raises(InputError, match="no pose at"):
        open_recording(own, options=RecordingOptions(strict=True)).scene("drive-1")
    poses.write_text("\n".join([lines[0], f"{START_US - 5_000_000},0,0,0,1,0,0,0"]))
    with pytest.raises(InputError, match=r"poses.csv: no pose at .*after the last"):
        open_recording(own).scene("drive-1")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "distortion: none",
            "",
            "cameras.FRONT.distortion: missing; none where the images have no lens distortion, else",
        ),
        ("distortion: none", "distorsion: none", "no such key: cameras.FRONT.distorsion; did you mean distortion?"),
        ("distortion: none", "distortion: [0.1, 0, 0, 0]", "{model: one of opencv, fisheye, coefficients: [k1, ...]}"),
        ("distortion: none", "distortion: {model: opencv, coefficients: [0.1, 0, 0]}", "4 or 5 or 8 finite"),
        ("distortion: none", "distortion: {model: fisheye, coefficients: [a, b, c, d]}", "cameras.FRONT.distortion"),
        ("distortion: none", "distortion: {model: opencv, coefficients: [-9, 0, 0, 0]}", "in OpenCV's order"),
        ("size: [640, 360]", "", "cameras.FRONT.size: missing"),
        ("T_ego_lidar", "T_lidar_ego", "lidars.TOP.T_ego_lidar: missing"),
        ("wxyz: [1, 0, 0, 0]", "wxyz: [0, 1, 0, 0]", "its z points down"),
        ("compensated: true", "compensated: perhaps", "compensated"),
    ],
)
def test_what_recording_yaml_lacks_is_asked_for(old: str, new: str, words: str, own: Path) -> None:
    change(own, old, new)
    assert said(own).startswith("now missing: ")
    assert words in said(own)


def test_lens_distortion_goes_with_each_camera(own: Path) -> None:
    change(own, "distortion: none", "distortion: {model: opencv, coefficients: [-0.2, 0.05, 0.001, 0, 0.01]}")
    for camera in open_recording(own).scene("drive-1").cameras:
        assert camera.distortion is not None
        assert camera.distortion.coefficients == (-0.2, 0.05, 0.001, 0, 0.01)
        np.testing.assert_array_equal(camera.distortion.K, camera.K)


def test_check_guides_from_nothing(own: Path, tmp_path: Path) -> None:
    root = tmp_path / "new"
    steps = [
        ("recording.yaml", "recording.yaml: not there"),
        ("scenes/drive-1/sweeps", "scenes: no folder of a scene"),
        ("scenes/drive-1/poses.csv", "poses.csv"),
    ]
    root.mkdir()
    for path, words in steps:
        assert words in said(root)
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (own / path).is_dir() else shutil.copy)(own / path, root / path)
    done = CliRunner().invoke(group, ["check", "--dataroot", str(root)], standalone_mode=False, catch_exceptions=False)
    assert done.return_value == 0, done.output


def test_boxes_become_tracks(own: Path) -> None:
    (own / "scenes" / "drive-1" / "boxes.csv").write_text(
        "timestamp_us,track,category,x,y,z,l,w,h,yaw\n"
        + "".join(f"{START_US + 100_000 * k},a,car,{10 + k},3,1,4,2,1.5,0.5\n" for k in range(3))
    )
    (track,) = open_recording(own).scene("drive-1").tracks
    assert (track.category, track.kind.value) == ("car", "rigid vehicle")
    np.testing.assert_allclose(track.T_global_box[:, :3, 3], [[10, 3, 1], [11, 3, 1], [12, 3, 1]])
    keyframe = open_recording(own).keyframes("drive-1")[0]
    assert keyframe.boxes.classes == ("car",)
    np.testing.assert_allclose(keyframe.boxes.velocity_global_mps, [[10, 0]])


@pytest.mark.parametrize("encoding", ["binary", "ascii"])
def test_pcd(encoding: str, tmp_path: Path) -> None:
    table = np.random.default_rng(0).normal(size=(50, 5)).astype(np.float32)
    write_pcd(tmp_path / "a.pcd", table, "x y z intensity ring", encoding=encoding)
    columns = read_pcd(tmp_path / "a.pcd")
    np.testing.assert_allclose(np.column_stack(list(columns.values())), table, rtol=1e-5)


def test_beams_of_uneven_spacing() -> None:
    true = np.deg2rad([-25, -15.6, -11.3, -8.8, -4.0, -3.67, -3.33, -3.0, 1.0, 15.0])
    rng = np.random.default_rng(0)
    ring, azimuth = rng.integers(0, len(true), 20_000), rng.uniform(-np.pi, np.pi, 20_000)
    elevation = true[ring] + rng.normal(0, np.deg2rad(0.03), len(ring))
    flat = np.cos(elevation)
    xyz = 10 * np.stack([np.cos(azimuth) * flat, np.sin(azimuth) * flat, np.sin(elevation)], axis=1).astype(np.float32)
    found = beam_elevations(xyz)
    np.testing.assert_allclose(found, true, atol=np.deg2rad(0.03))
    assert (nearest_beam(xyz, found) == ring).mean() > 0.999
