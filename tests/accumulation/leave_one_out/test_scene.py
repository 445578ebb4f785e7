"""The held-out sweep has no say in what is scored on it, and the figures are those one works out by hand."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.leave_one_out import scene as module
from densegt.accumulation.leave_one_out.recording import compare
from densegt.accumulation.leave_one_out.scene import held_out_keyframes, others_in_window, score_scene, without
from densegt.accumulation.scene_input import read_scene
from densegt.accumulation.z_buffer_baseline import global_returns, z_buffer_baseline
from densegt.datasets import open_recording
from densegt.datasets.lidar_model import LidarModel
from densegt.datasets.scene import Camera, Lidar, ObjectKind, Points, Scene, Sweep, Track
from densegt.errors import InputError

# Each held-out sweep is an accumulation of its own.
pytestmark = pytest.mark.slow

HEIGHT_M = 1.8


def pose(x=0.0, y=0.0, z=0.0):
    T = np.eye(4)
    T[:3, 3] = x, y, z
    return T


def wall(distance_m):
    """Returns from a wall straight ahead of a lidar with 32 rings."""
    elevation, azimuth = np.meshgrid(np.radians(np.linspace(-8, 8, 32)), np.radians(np.arange(-40, 40, 0.25)))
    xyz = np.stack([np.ones_like(azimuth), np.tan(azimuth), np.tan(elevation) / np.cos(azimuth)], axis=-1) * distance_m
    ring = np.broadcast_to(np.arange(32, dtype=np.uint16), azimuth.shape).ravel()
    return Points(xyz.reshape(-1, 3).astype(np.float32), np.zeros(ring.size, np.float32), ring)


def wall_scene(distances_m, keyframes=(1,), tracks=()):
    """A car that stands before a wall, with a camera in its lidar: sweep i finds the wall at distances_m[i]."""
    lidar = Lidar("LIDAR", pose(z=HEIGHT_M), LidarModel())
    sweeps = tuple(
        Sweep(f"sweep{i}", f"sample{i}", i in keyframes, Path(f"{i}.bin"), 50_000 * i, lidar, pose())
        for i in range(len(distances_m))
    )
    T_ego_cam = pose(z=HEIGHT_M)
    T_ego_cam[:3, :3] = [[0, 0, 1], [-1, 0, 0], [0, -1, 0]]
    K = np.array([[200.0, 0, 100], [0, 200, 50], [0, 0, 1]])
    cameras = tuple(
        Camera(f"c{i}", f"sample{i}", "CAM", Path("i"), "i", 201, 101, 50_000 * i, K, T_ego_cam, pose())
        for i in keyframes
    )
    walls = {f"sweep{i}": wall(d) for i, d in enumerate(distances_m)}
    return Scene("wall", (lidar,), sweeps, cameras, tuple(tracks), lambda sweep: walls[sweep.token])


def score(scene, **options):
    return compare(score_scene(scene, AccumulateConfig(), **options)).all_points


def images_of(scene, **options):
    return compare(score_scene(scene, AccumulateConfig(), **options)).images


@pytest.mark.parametrize("off_m", [-0.3, 0.2])
def test_a_wall_that_stays_is_right(off_m):
    result = score(wall_scene([10, 10 - off_m, 10]))
    for method in (result.densegt, result.z_buffer_baseline):
        assert method.all.outliers == 0
        assert method.all.coverage_percent == pytest.approx(100)
        assert method.all.mae_m == pytest.approx(abs(off_m), abs=1e-3)
        assert method.all.bias_m == pytest.approx(off_m, abs=1e-3)
    assert result.outlier_ratio is None


def test_a_wall_that_only_the_held_out_sweep_saw_elsewhere_is_an_outlier_everywhere():
    result = score(wall_scene([10, 12, 10]))
    assert result.densegt.all.outlier_percent == result.z_buffer_baseline.all.outlier_percent == 100
    assert result.densegt.all.right_percent == 0
    assert result.densegt.all.rmse_m == pytest.approx(2, abs=1e-3)
    assert result.densegt.by_range["10-20"].counted == result.densegt.all.counted > 0
    assert result.outlier_ratio == 1


def test_nothing_beyond_the_limit_is_counted():
    assert score(wall_scene([10, 10, 10]), max_depth_m=9).densegt.all.counted == 0


def test_every_nth_keyframe():
    scene = wall_scene([10, 10, 10, 12, 10], keyframes=(1, 2, 3))
    assert images_of(scene) == 3
    assert images_of(scene, every=2) == 2
    assert images_of(scene, every=3) == 1


def test_points_in_a_moving_box_are_told_from_the_rest():
    stamps = np.array([0, 50_000, 100_000])
    box = np.stack([pose(10, y, HEIGHT_M) for y in (-2.0, 0.0, 2.0)])
    scene = wall_scene(
        [10, 10, 10], tracks=[Track("t", "vehicle.car", ObjectKind.RIGID_VEHICLE, np.array([2.0, 2, 2]), stamps, box)]
    )
    groups = score(scene).densegt.by_motion
    everything = score(scene).densegt.all.counted
    assert groups["movers"].counted > 0
    assert groups["movers"].counted + groups["rest"].counted == everything
    assert score(wall_scene([10, 10, 10])).densegt.by_motion == {}


def test_the_baseline_takes_the_nearest_of_the_sweeps_it_may_use():
    scene = wall_scene([9, 8, 10, 30])
    returns, camera = global_returns(scene, AccumulateConfig()), scene.cameras[0]

    def nearest(*sweeps, max_depth_m=60.0):
        depth_m = z_buffer_baseline(returns, camera, np.isin(range(4), sweeps), max_depth_m=max_depth_m)
        return depth_m[depth_m > 0].min(initial=np.inf)

    assert nearest(0, 1, 2, 3) == pytest.approx(8)
    assert nearest(0, 2, 3) == pytest.approx(9)
    assert nearest(3) == pytest.approx(30)
    assert nearest(3, max_depth_m=20.0) == np.inf
    assert nearest() == np.inf


def test_a_window_takes_the_others_near_the_exposure():
    scene = wall_scene([10] * 5, keyframes=(2,))
    (keyframe,) = held_out_keyframes(scene)

    def others(window_s):
        return np.flatnonzero(others_in_window(scene, keyframe, scene.cameras[0], window_s)).tolist()

    assert others(None) == others(0.1) == [0, 1, 3, 4]
    assert others(0.05) == [1, 3]
    assert others(0.02) == []


@pytest.fixture(scope="module")
def simulated(tiny_dataset):
    recording = open_recording(tiny_dataset)
    return read_scene(recording, recording.scene_names[0], AccumulateConfig())


def test_the_held_out_sweep_has_no_influence(simulated, monkeypatch):
    """Whatever it measured, what is predicted, by either method, is the same to the last bit."""
    keyframe = held_out_keyframes(simulated)[1]
    (index,) = keyframe.sweeps
    one = replace(simulated, cameras=keyframe.cameras[:2])
    rng = np.random.default_rng(0)

    def read_wildly(sweep):
        points = simulated.read_points(sweep)
        if sweep.token != simulated.sweeps[index].token:
            return points
        return replace(points, xyz_lidar=rng.uniform(-30, 30, points.xyz_lidar.shape).astype(np.float32))

    def outcome(scene):
        seen = []
        monkeypatch.setattr(module.LeaveOneOutMetrics, "update", lambda self, *maps, annotated: seen.append(maps))
        score_scene(scene, AccumulateConfig())
        return seen

    for (depth, nearest_m, truth, _), (wild, wild_nearest_m, wild_truth, _) in zip(
        outcome(one), outcome(replace(one, read_points=read_wildly)), strict=True
    ):
        assert (depth.depth_m > 0).mean() > 0.1
        for layer in ("depth_m", "source", "age_s"):
            np.testing.assert_array_equal(getattr(depth, layer), getattr(wild, layer))
        np.testing.assert_array_equal(nearest_m, wild_nearest_m)
        assert (truth.depth_m != wild_truth.depth_m).any()


def test_without_leaves_out_that_sweep_and_keeps_that_keyframes_cameras(simulated):
    keyframe = held_out_keyframes(simulated)[1]
    rest = without(simulated, keyframe)
    token = keyframe.cameras[0].sample_token
    assert {camera.sample_token for camera in rest.cameras} == {token}
    assert len(rest.sweeps) == len(simulated.sweeps) - 1
    assert not any(sweep.is_keyframe and sweep.sample_token == token for sweep in rest.sweeps)


@pytest.mark.parametrize(
    ("scene", "config", "says"),
    [
        (wall_scene([10], keyframes=(0,)), AccumulateConfig(), "nothing to rebuild from"),
        (wall_scene([10, 10]), AccumulateConfig(window_s=0), "nothing to rebuild from"),
        (wall_scene([10, 10], keyframes=()), AccumulateConfig(), "nothing to score"),
        (wall_scene([10, 0.1, 10]), AccumulateConfig(), "1.bin: no return"),
    ],
    ids=["one sweep", "window 0", "no keyframe", "empty sweep"],
)
def test_what_cannot_be_scored_says_why(scene, config, says):
    with pytest.raises(InputError, match=says):
        score_scene(scene, config)


def evaluate(*arguments):
    code = "from densegt.cli.main import main; main()"
    command = [sys.executable, "-c", code, "evaluate", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def test_command(tiny_dataset, tmp_path):
    out = tmp_path / "figures.json"
    fewer = ["--every", 3, "--camera", "CAM_FRONT", "--window", 0.5]
    done = evaluate("--dataroot", tiny_dataset, "--leave-one-out", *fewer, "--json", out)
    assert done.returncode == 0, done.stderr
    assert "z-buffer" in done.stdout
    figures = json.loads(out.read_text())
    assert figures["densegt"]["all"]["counted"] == figures["z_buffer_baseline"]["all"]["counted"] > 0
    counted = [figures[sight]["densegt"]["all"]["counted"] for sight in ("sure", "ambiguous", "hidden")]
    assert sum(counted) == figures["densegt"]["all"]["counted"]
    assert counted[0] > 0.5 * sum(counted)
    assert set(figures["densegt"]["by_motion"]) == {"movers", "rest"}
    assert set(figures["densegt"]["by_range"]) == {"0-10", "10-20", "20-40", "40-60"}
    assert figures["config"]["accumulate"]["window_s"] == 0.5
    assert list(figures["scenes"]) == open_recording(tiny_dataset).scene_names


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--leave-one-out"], "--dataroot"),
        (["--leave-one-out", "--dataroot", "x", "--pred", "y"], "--pred"),
        (["--pred", "x", "--truth", "y", "--camera", "CAM"], "--leave-one-out"),
        (["--pred", "x"], "--truth"),
        (["--leave-one-out", "--dataroot", "not/there"], "no such folder"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_usage_is_one_line_and_exit_code_2(arguments, says):
    done = evaluate(*arguments)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("densegt: ")
    assert says in line


def test_a_recording_of_one_sweep_has_nothing_to_rebuild_from(find_recording):
    done = evaluate("--dataroot", find_recording("nuscenes-keyframe"), "--leave-one-out")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "nothing to rebuild from" in line
