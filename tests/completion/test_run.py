"""`densegt complete`, from a store to a store."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys

import cv2
import numpy as np
import pytest
from densegt.cli.main import main

from densegt.batch.scene_lock import scene_lock
from densegt.completion.weights import SHIPPED
from densegt.depth.depth_map import Source
from densegt.depth.store import SceneReader, scene_files
from densegt.report.page import write_report

from ..depth.stores import camera, write_store
from .scenes import HEIGHT_PX, WIDTH_PX, scan_lines, street

# Whole scenes are simulated, read or rendered.
pytestmark = pytest.mark.slow

SIZE = (WIDTH_PX, HEIGHT_PX)


@pytest.fixture
def run(monkeypatch, capsys):
    """`densegt complete` with these options: exit code, stdout, stderr."""

    def call(*options):
        monkeypatch.setattr(sys, "argv", ["densegt", "complete", *map(str, options)])
        with pytest.raises(SystemExit) as exit_:
            main()
        captured = capsys.readouterr()
        return exit_.value.code, captured.out, captured.err

    return call


@pytest.fixture
def world(tmp_path):
    """A dataset's images and a store of two scenes with two cameras each."""
    image, truth = street()
    for scene in ("scene-a", "scene-b"):
        images = []
        for channel in ("CAM_FRONT", "CAM_BACK"):
            cam = camera(sample=f"{scene}-0", channel=channel, size=SIZE)
            path = tmp_path / "data" / cam.filename
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), image[..., ::-1])
            depth = scan_lines(truth)
            confidence = np.where(depth > 0, 200, 0).astype(np.uint8)
            images.append((cam, depth, {"confidence": confidence}))
        write_store(tmp_path / "depth", images, scene=scene, config={"accumulate": {"motion": "auto"}})
    return tmp_path


def options(world, out="out"):
    return "--dataroot", world / "data", "--depth", world / "depth", "--out", world / out


def records(folder):
    return {(r.scene, r.sample_token, r.channel): r for path in scene_files(folder) for r in SceneReader(path)}


def test_what_is_written(run, world):
    code, out, err = run(*options(world), "--method", "classical")
    assert (code, err) == (0, "")
    assert out.splitlines()[0].startswith(f"{world / 'out' / 'scene-a.h5'}: 2 images, ")
    before, after = records(world / "depth"), records(world / "out")
    assert before.keys() == after.keys()
    for key, was in before.items():
        now = after[key]
        measured = was.depth_m > 0
        np.testing.assert_array_equal(now.depth_m[measured], was.depth_m[measured])
        np.testing.assert_array_equal(now.source[measured], was.source[measured])
        for name, layer in was.layers.items():
            np.testing.assert_array_equal(now.layers[name][measured], layer[measured])
        filled = ~measured & (now.depth_m > 0)
        # What is filled has a confidence of its own; what is not has nothing.
        assert ((now.layers["confidence"][~measured] > 0) == filled[~measured]).all()
        assert filled.mean() > 0.5
        assert (now.source[filled] == Source.COMPLETED).all()
        assert (now.source[now.depth_m == 0] == Source.NONE).all()
        uncertainty = now.layers["uncertainty"].astype(float)
        assert ((uncertainty > 0) == (now.depth_m > 0)).all()
        assert (now.filename, now.sample_data_token, now.timestamp_us) == (
            was.filename, was.sample_data_token, was.timestamp_us,
        )  # fmt: skip
        np.testing.assert_array_equal(now.K, was.K)
        np.testing.assert_array_equal(now.T_global_cam, was.T_global_cam)
    config = SceneReader(world / "out" / "scene-a.h5").config
    assert config["accumulate"] == {"motion": "auto"}
    assert config["complete"]["method"] == "classical"


def test_the_network_that_ships(run, world):
    """It needs no option but its name, keeps what is measured, and its weights are noted."""
    pytest.importorskip("torch")
    assert run(*options(world), "--method", "network")[0] == 0
    before, after = records(world / "depth"), records(world / "out")
    for key, was in before.items():
        now = after[key]
        own = (now.source != Source.COMPLETED) & (now.depth_m > 0)
        np.testing.assert_array_equal(now.depth_m[own], was.depth_m[own])
        assert own.sum() > 0.95 * (was.depth_m > 0).sum()
        assert (now.depth_m > 0).mean() > 0.5
        assert ((now.layers["uncertainty"] > 0) == (now.depth_m > 0)).all()
    saved = SceneReader(world / "out" / "scene-a.h5").config["complete"]
    assert saved["method"] == "network"
    assert saved["checkpoint_sha256"] == hashlib.sha256(SHIPPED.read_bytes()).hexdigest()


def test_auto_says_what_it_takes_and_why(run, world, tmp_path):
    """Equal to what that method gives by its name, so that the one goes on with what the other began."""
    pytest.importorskip("torch")
    weights = tmp_path / "network.safetensors"
    shutil.copy(SHIPPED, weights)
    about = weights.with_suffix(".json")
    found = {f"accumulated/classical {error}": 1.0 for error in ("RMSE m", "MAE m")}
    found |= {"accumulated/network RMSE m": 0.5, "accumulated/network MAE m": 1.1}
    about.write_text(json.dumps({"validation": found}))
    code, _, err = run(*options(world, "worse"), "--checkpoint", weights)
    assert code == 0
    assert "scene-a: accumulated: classical, for validation of the network found RMSE 0.50 against 1.00 m" in err
    about.write_text(json.dumps({"validation": {**found, "accumulated/network MAE m": 0.5}}))
    code, _, err = run(*options(world, "better"), "--checkpoint", weights)
    assert code == 0
    assert (
        "accumulated: network, for validation of the network found RMSE 0.50 against 1.00 m and MAE 0.50 against" in err
    )
    assert SceneReader(world / "better" / "scene-a.h5").config["complete"]["method"] == "network"
    code, out, _ = run(*options(world, "better"), "--method", "network", "--checkpoint", weights)
    assert (code, out.count("skipped")) == (0, 2)
    about.unlink()
    code, _, err = run(*options(world, "unknown"), "--checkpoint", weights)
    assert code == 0
    assert "accumulated: classical, for nothing is known of the network's weights on such input" in err


def test_what_is_less_sure_stays_unknown(run, world):
    assert run(*options(world), "--method", "classical")[0] == 0
    assert run(*options(world, "sure"), "--method", "classical", "--min-confidence", 0.9)[0] == 0
    before, everything, sure = records(world / "depth"), records(world / "out"), records(world / "sure")
    for key, one in everything.items():
        kept = (before[key].depth_m > 0) | (one.layers["confidence"] >= 0.9 * 255)
        np.testing.assert_array_equal(sure[key].depth_m, np.where(kept, one.depth_m, 0))
        assert 0 < kept.mean() < (one.depth_m > 0).mean()


def test_completing_twice_is_completing_once(run, world):
    assert run(*options(world))[0] == 0
    assert run("--dataroot", world / "data", "--depth", world / "out", "--out", world / "twice")[0] == 0
    once, twice = records(world / "out"), records(world / "twice")
    for key, record in once.items():
        np.testing.assert_array_equal(record.depth_m, twice[key].depth_m)
        np.testing.assert_array_equal(record.source, twice[key].source)


def test_finished_scenes_are_skipped_and_others_refused(run, world):
    assert run(*options(world))[0] == 0
    stamps = [path.stat().st_mtime_ns for path in scene_files(world / "out")]
    code, out, _ = run(*options(world))
    assert code == 0
    assert out.count("skipped") == 2
    assert stamps == [path.stat().st_mtime_ns for path in scene_files(world / "out")]
    code, _, err = run(*options(world), "--camera", "CAM_FRONT")
    (line,) = err.splitlines()
    assert code == 2
    assert "made with other options (cameras was [], now ['CAM_FRONT']); --overwrite" in line
    assert "(2 such files)" in line
    shutil.copy(world / "depth" / "scene-a.h5", world / "depth" / "scene-b.h5")
    code, _, err = run(*options(world))
    assert code == 2
    assert f"not made from {world / 'depth' / 'scene-b.h5'} as it is now" in err
    assert run(*options(world), "--overwrite")[0] == 0


def test_workers_change_nothing(run, world):
    assert run(*options(world))[0] == 0
    assert run(*options(world, "two"), "--workers", 2)[0] == 0
    for one, two in zip(scene_files(world / "out"), scene_files(world / "two"), strict=True):
        assert one.read_bytes() == two.read_bytes()


def test_one_scene_and_one_camera(run, world):
    assert run(*options(world), "--scene", "scene-b", "--camera", "CAM_BACK")[0] == 0
    assert [(scene, channel) for scene, _, channel in records(world / "out")] == [("scene-b", "CAM_BACK")]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--scene", "scene-x"], "no scene 'scene-x'; there is scene-a, scene-b"),
        (["--method", "magic"], "magic"),
        (["--method", "network", "--checkpoint", "nowhere.ckpt"], "nowhere.ckpt: no such checkpoint"),
        (["--method", "classical", "--checkpoint", "weights.ckpt"], "takes no --checkpoint"),
        (["--checkpoint", "weights.ckpt"], "weights.ckpt: no such checkpoint"),
        (["--min-confidence", "1.5"], "--min-confidence"),
        (["--workers", "0"], "--workers"),
        (["--ray-address", "here:1"], "goes with --executor ray"),
    ],
)
def test_bad_options(run, world, more, says):
    code, out, err = run(*options(world), *more)
    assert (code, out) == (2, "")
    (line,) = err.splitlines()
    assert line.startswith("densegt: ")
    assert says in line
    assert not (world / "out").exists()


def test_the_store_that_is_read_is_not_written_to(run, world):
    code, _, err = run(*options(world, "depth"), "--overwrite")
    assert code == 2
    assert "--out is the store that is read" in err


def test_no_store(run, world):
    code, _, err = run("--dataroot", world / "data", "--depth", world / "none", "--out", world / "out")
    assert code == 2
    assert "no such folder" in err


@pytest.mark.parametrize("damage", ["missing", "cut", "small"])
def test_one_scene_fails_and_the_other_is_written(run, world, damage):
    path = world / "data" / camera(sample="scene-a-0", channel="CAM_BACK").filename
    if damage == "missing":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(b"")
    else:
        cv2.imwrite(str(path), np.zeros((20, 30, 3), np.uint8))
    code, out, err = run(*options(world), "--strict")
    assert code == 1
    assert err.startswith("densegt: scene-a failed: ")
    assert err.splitlines()[-1].startswith("densegt: 1 of 2 scenes failed; to do just these again: densegt complete")
    assert err.splitlines()[-1].endswith("--scene scene-a")
    assert str(path) in err
    assert "scene-b.h5: 2 images" in out
    assert sorted(p.name for p in (world / "out").iterdir()) == ["run-summary.jsonl", "scene-b.h5"]


@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_an_image_that_cannot_be_read_is_left_out_and_named(run, world, damage):
    path = world / "data" / camera(sample="scene-a-0", channel="CAM_BACK").filename
    path.unlink()
    if damage == "cut":
        path.write_bytes(b"")
    code, out, err = run(*options(world))
    assert code == 0
    assert str(path) in out + err
    assert [(scene, channel) for scene, _, channel in records(world / "out")] == [
        ("scene-a", "CAM_FRONT"),
        ("scene-b", "CAM_BACK"),
        ("scene-b", "CAM_FRONT"),
    ]


def test_a_damaged_scene_of_the_input_fails_alone(run, world):
    (world / "depth" / "scene-a.h5").write_bytes(b"nothing")
    code, out, err = run(*options(world))
    assert code == 1
    assert err.startswith(f"densegt: scene-a failed: {world / 'depth' / 'scene-a.h5'}: not a readable HDF5 file")
    assert "scene-b.h5: 2 images" in out


def test_the_summary(run, world):
    """The same lines as accumulate writes, with what completion counts."""
    assert run(*options(world))[0] == 0
    one, two, end = map(json.loads, (world / "out" / "run-summary.jsonl").read_text().splitlines())
    assert [line["scene"] for line in (one, two)] == ["scene-a", "scene-b"]
    before = [record for (scene, *_), record in records(world / "depth").items() if scene == "scene-a"]
    assert one["measured_pixels"] == sum(int((record.depth_m > 0).sum()) for record in before)
    assert (one["status"], one["images"], one["keyframes"], one["rejected_pixels"]) == ("done", 2, 1, 0)
    assert set(one["seconds"]) == {"read", "complete", "write"}
    assert end["scenes"] == {"done": 2, "skipped": 0, "failed": 0}
    assert end["config"]["complete"]["method"] == "auto"
    assert end["depth"] == str(world / "depth")


def test_two_runs_share_the_scenes(run, world):
    """A scene that another run works on is left for last, and its file is taken."""
    (world / "out").mkdir()
    with scene_lock(world / "out", "scene-a"):
        code = "from densegt.cli.main import main\nif __name__ == '__main__': main()"
        command = [sys.executable, "-c", code, "complete", *map(str, options(world))]
        other = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        waiting = next(line for line in other.stderr if "another run works on it; waiting" in line)
        assert str(world / "out" / "scene-a.h5") in waiting
        assert (world / "out" / "scene-b.h5").exists()
    _, err = other.communicate(timeout=60)
    assert other.returncode == 0, err
    assert [path.stem for path in scene_files(world / "out")] == ["scene-a", "scene-b"]


def test_unknown_camera(run, world):
    code, _, err = run(*options(world), "--camera", "CAM_UP")
    assert code == 2
    assert err.count("no camera 'CAM_UP'; there is CAM_BACK, CAM_FRONT") == 1


def test_the_page_shows_uncertainty(run, world):
    assert run(*options(world))[0] == 0
    pages = {}
    for name in ("depth", "out"):
        write_report(world / name, world / "data", world / f"{name}.html")
        pages[name] = (world / f"{name}.html").read_text()
    assert "One standard deviation" in pages["out"]
    assert pages["out"].count('alt="Uncertainty, ') == 4
    titles = re.findall('alt="([A-Za-z ]+), CAM_BACK', pages["out"])
    assert titles[:5] == ["Image", "Measured", "Completed", "Uncertainty", "Source"]
    assert 'alt="Completed' not in pages["depth"]
    assert "ncertainty" not in pages["depth"].split("<h2>How it was made</h2>")[0]
