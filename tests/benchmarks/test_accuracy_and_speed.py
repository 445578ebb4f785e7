"""The benchmarks run, and their rows come out in the order that they must."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy import ablation as ablation_benchmark
from benchmarks.accuracy import baselines
from benchmarks.speed import budget, point_by_point, reading, scale, speed
from densegt.accumulation.render.confidence_model import shipped_confidence_model
from densegt.datasets import open_recording
from densegt.datasets.scene import ObjectKind, Track

# Benchmarks run whole, if small.
pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def ablation(short_world, tmp_path_factory):
    """All methods on the short world: JSON and the page."""
    folder = tmp_path_factory.mktemp("ablation")
    files = [folder / "ablation.json", folder / "ablation.md"]
    ablation_benchmark.main(["--worlds", str(short_world), "--json", str(files[0]), "--markdown", str(files[1])])
    return json.loads(files[0].read_text()), files[1].read_text()


@pytest.fixture(scope="module")
def figures(ablation):
    """Each method's figures."""
    return {result["method"]: result for result in ablation[0]["results"]}


def test_a_single_sweep_covers_least(figures):
    least = figures.pop("single sweep")["coverage %"]
    assert all(least < other["coverage %"] for other in figures.values())


def test_densegt_is_right_oftener_and_wrong_less_often_than_the_z_buffer_baseline(figures):
    full, points = figures["+ confidence (= densegt)"], figures["whole scene"]
    assert full["accuracy %"] > points["accuracy %"]
    assert full["outlier %"] < points["outlier %"]


def test_the_page_says_how_it_was_made(ablation, short_world):
    found, page = ablation
    for fact in (found["commit"], found["date"], "seeds 7;", f"--worlds {short_world}", "160x90"):
        assert fact in page
    assert all(f"| {result['method']} |" in page for result in found["results"])


@pytest.mark.exhaustive
def test_speed_tells_hot_spots(short_world, tmp_path):
    out = tmp_path / "speed.json"
    sizes = ["80x45", "160x90"]
    speed.main(["--dataroot", str(short_world), "--image-size", *sizes, "--json", str(out)])
    found = json.loads(out.read_text())
    assert [size["image_size"] for size in found["sizes"]] == sizes
    assert any("(kernel)" in name for name, _, _ in found["hot_spots"]["prepare"])


def test_the_budget_adds_up(short_world, tmp_path):
    files = tmp_path / "budget.json", tmp_path / "budget.md"
    out = ["--json", str(files[0]), "--markdown", str(files[1])]
    budget.main(["--dataroot", str(short_world), "--image-size", "160x90", "--keyframes", "1", *out])
    found, page = json.loads(files[0].read_text()), files[1].read_text()
    lines = {line["stage"]: line for line in found["lines"]}
    assert found["total_ms"] == pytest.approx(sum(line["ms"] for line in lines.values()))
    assert all(line["ms"] > 0 and line["floor_ms"] > 0 for line in lines.values())
    assert found["counts"]["pixels"] == 6 * 160 * 90
    assert all(f"| {name} |" in page for name in lines)
    # One hidden layer after the other, one multiplication and one addition a weight, and biases are weights too.
    weights = sum(layer.size for layer in shipped_confidence_model())
    assert pytest.approx(2 * weights, rel=0.05) == budget.CONFIDENCE_OPERATIONS


def test_reading_is_measured_in_each_way(short_world, tmp_path):
    file = tmp_path / "reading.json"
    reading.main(["--depth", str(short_world / "exact"), "--size", "64x32", "--images", "3", "--json", str(file)])
    found = json.loads(file.read_text())
    assert len(found) == 4
    assert min(found.values()) > 0


def test_rescaled_cameras_see_the_same_directions(short_world):
    dataset = open_recording(short_world)
    camera = dataset.scene(dataset.scene_names[0]).cameras[0]
    [double] = speed.resized([camera], "320x180")
    corner = np.array([-0.5, -0.5, 1.0])
    np.testing.assert_allclose(np.linalg.inv(double.K) @ corner, np.linalg.inv(camera.K) @ corner)


def test_boxes_between_keyframes():
    """The straight line, and the devkit's way: gone when the next keyframe has no box, still when the last had none."""
    linear, devkit = baselines.linear_pose, baselines.devkit_pose
    poses = np.repeat(np.eye(4)[None], 2, axis=0)
    poses[:, 0, 3] = [1.0, 3.0]
    track = Track("t", "vehicle.car", ObjectKind.RIGID_VEHICLE, np.ones(3), np.array([100, 200]), poses)
    keyframes = np.array([0, 100, 200, 300])
    assert [linear(track, t) is None for t in (99, 100, 200, 201)] == [True, False, False, True]
    assert linear(track, 150)[0, 3] == pytest.approx(2.0)
    assert devkit(track, 150, keyframes)[0, 3] == pytest.approx(2.0)
    assert devkit(track, 50, keyframes)[0, 3] == 1.0
    assert devkit(track, 200, keyframes)[0, 3] == 3.0
    assert devkit(track, 201, keyframes) is None


def test_boxes_cut_out_and_put_back():
    pose = np.eye(4)
    pose[:3, 3] = [10.0, 0.0, 1.0]
    track = Track("t", "vehicle.car", ObjectKind.RIGID_VEHICLE, np.array([4.0, 2.0, 2.0]), np.array([0]), pose[None])
    points = np.array([[10.0, 0.0, 1.0], [12.1, 0.0, 1.0], [10.0, 0.0, -0.05], [20.0, 0.0, 0.0]])
    tight = baselines.Cut.of(points, [track], 0, baselines.linear_pose)
    wide = baselines.Cut.of(points, [track], 0, baselines.linear_pose, scale=1.1, lower_m=0.1)
    assert [len(tight.of_object[0]), len(wide.of_object[0])] == [1, 3]
    np.testing.assert_allclose(tight.of_object[0], [[0.0, 0.0, 0.0]])
    np.testing.assert_allclose(wide.static, points[3:])


@pytest.mark.exhaustive
def test_scale_tells_what_a_whole_dataset_costs(short_world, tmp_path):
    file = tmp_path / "scale.json"
    options = ["--image-size", "160x90", "--keyframes", "1", "--scaling-scenes", "0", "--json", str(file)]
    scale.main(["--dataroot", str(short_world), *options])
    found = json.loads(file.read_text())
    assert found["total_s"] == pytest.approx(found["prepare_s"] + found["render_s"] + found["write_s"])
    assert found["trainval_hours"] == pytest.approx(34149 * found["total_s"] / 16 / 3600)
    assert min(found[name] for name in ("numpy_s", "point_by_point_s", "peak_gb", "points_a_sweep")) > 0


def test_point_by_point_is_the_same_method(short_world):
    """Going through the source image's pixels moves points by up to a pixel and loses those beside that image."""
    dataset = open_recording(short_world)
    scene = dataset.scene(dataset.scene_names[0])
    quick = next(depth_m for _, depth_m in baselines.masked_objects(scene))
    [(_, slow)] = point_by_point.masked_objects(scene, scene.cameras[:1])
    both = (quick > 0) & (slow > 0)
    assert np.median(np.abs(quick - slow)[both] / quick[both]) < 0.01
    assert 0.5 < both.sum() / (quick > 0).sum() <= 1
    own = baselines.own_sweep(scene, scene.cameras[0])
    alone = replace(scene, sweeps=scene.sweeps[own : own + 1])
    [(_, slow)] = point_by_point.masked_objects(alone, scene.cameras[:1])
    quick = next(depth_m for _, depth_m in baselines.masked_objects(alone))
    np.testing.assert_array_equal(slow > 0, quick > 0)


@pytest.mark.exhaustive
def test_soft_voxels_take_less_memory_and_say_the_same(tmp_path):
    file = tmp_path / "representation.json"
    command = [
        sys.executable,
        "-m",
        "benchmarks.speed.representation",
        "--size",
        "small",
        "--turns",
        "1",
        "--json",
        file,
    ]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    found = json.loads(file.read_text())
    assert set(found) >= {"densegt", "dense"}
    for row in found.values():
        assert row["sum"] == pytest.approx(found["densegt"]["sum"], rel=1e-4)
        assert row["slope"] == pytest.approx(found["densegt"]["slope"], rel=1e-3, abs=1e-3)


def test_pseudo_lidar_study_trains_scores_and_goes_on(short_world, tmp_path, capsys):
    pytest.importorskip("lightning")
    from benchmarks.accuracy import pl_study

    world, out, config = str(short_world), tmp_path / "study", tmp_path / "tiny.yaml"
    tiny = {
        "size": [32, 64],
        "depth": {"stride": 4, "backbone_widths": [4, 4, 8], "features": 8},
        "grid": {"half_m": 24, "cell_m": 1, "z_min_m": -1, "z_max_m": 3},
        "pixor": {"cell_m": 0.5, "layers": 4, "stem": 4, "widths": [8, 8], "blocks": 1, "channels": 8},
    }
    config.write_text(json.dumps({"model": tiny, "batch": 1, "loader_processes": 0}))
    data = ["--learn", world, f"{world}/exact", "--learn", world, f"{world}/exact", "--test", world]
    short = ["--seeds", "1", "--epochs", "1", "--more-epochs", "1", "--lidar-epochs", "1", "--watch", "0.5"]
    command = [*data, *short, "--out", str(out), "--config", str(config)]
    pl_study.main(command)
    said = capsys.readouterr().out
    ways = {"apart", "end-to-end", "separate", "frozen", "lidar", "x1.05", "x1.05-end-to-end", "x1.05-separate"}
    assert {path.name for path in out.iterdir()} == {f"{way}-0" for way in ways}
    apart, wrong = (json.loads((out / name / "scores.json").read_text()) for name in ("apart-0", "x1.05-0"))
    assert apart["depth MAE m"] != wrong["depth MAE m"]
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.*")}
    pl_study.main(command)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.*")} == before
    assert capsys.readouterr().out == said[said.index("\u250f") :]
