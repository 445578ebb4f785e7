"""Every file of examples/ is run: on the small world, by itself, and against what the tools it is for hand on."""

from __future__ import annotations

import os
import runpy
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
import pytest

import densegt

from .conftest import densegt_does

# Each starts programs, or reads a whole world.
pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[1] / "examples"


def names_of(name: str) -> dict[str, Any]:
    return runpy.run_path(str(EXAMPLES / name))


def run(name: str, *arguments: object, **environment: str) -> str:
    words = [sys.executable] if name.endswith(".py") else ["bash"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [*words, EXAMPLES / name, *map(str, arguments)],
        env={**os.environ, "PATH": path, **environment}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_example_is_run() -> None:
    tests = "".join(path.read_text() for path in (Path(__file__), *Path(__file__).parent.glob("datasets/custom/*.py")))
    assert not [path.name for path in EXAMPLES.iterdir() if path.is_file() and path.name not in tests]


@pytest.fixture(scope="module")
def scene(whole_line: Path) -> Path:
    return whole_line / "completed" / "scene-0001.h5"


def depth_of(scene: Path, channel: str = "CAM_FRONT") -> tuple[np.ndarray, np.ndarray]:
    with h5py.File(scene) as file:
        image = file[next(iter(file))][channel]
        return image["depth"][:] / np.float32(256), image.attrs["K"]


def test_resizing_as_the_export_does(scene: Path, tmp_path: Path) -> None:
    example = names_of("resize_depth.py")
    depth_m, K = depth_of(scene)
    said = run("resize_depth.py", scene, "CAM_FRONT", "48x27", tmp_path / "out.png")
    assert "pixels have depth" in said
    small = cv2.imread(str(tmp_path / "out.png"), cv2.IMREAD_ANYDEPTH) / 256
    np.testing.assert_array_equal(small, example["resize_depth"](depth_m, (48, 27)))
    out = tmp_path / "exported"
    stored = ["--depth", str(scene.parent), "--format", "npz", "--out", str(out)]
    densegt_does(["export", *stored, "--camera", "CAM_FRONT", "--image-size", "48x27"])
    with h5py.File(scene) as file:
        name = Path(file[next(iter(file))]["CAM_FRONT"].attrs["filename"]).stem
    held = np.load(out / "scene-0001" / "CAM_FRONT" / f"{name}.npz")
    np.testing.assert_array_equal(held["depth_m"], small)
    _, K_small = example["augment_depth"](depth_m, K, (48, 27), (0, 0, 48, 27), False)
    np.testing.assert_allclose(K_small, held["K"])


@pytest.mark.parametrize("flip", [False, True])
def test_resize_crop_and_flip_keep_points_in_their_place(scene: Path, flip: bool) -> None:
    """A point's new pixel, by the new K, holds a depth that is no farther than it."""
    depth_m, K = depth_of(scene)
    got, K_new = names_of("resize_depth.py")["augment_depth"](depth_m, K, (60, 34), (10, 6, 56, 32), flip)
    assert got.shape == (26, 46)
    row, column = np.nonzero(depth_m)
    rays = np.linalg.inv(K) @ np.stack([column, row, np.ones_like(row)])
    u, v, _ = K_new @ rays
    c, r = np.floor(u + 0.5).astype(int), np.floor(v + 0.5).astype(int)
    inside = (c >= 0) & (c < 46) & (r >= 0) & (r < 26)
    z = depth_m[row, column][inside]
    assert inside.mean() > 0.3
    held = got[r[inside], c[inside]]
    assert ((held > 0) & (held <= z)).all()


def test_plain_pytorch(scene: Path, whole_line: Path) -> None:
    pytest.importorskip("torch")
    data = names_of("pytorch_store.py")["DepthStore"](str(scene.parent), str(whole_line / "world"))
    assert len(data) == len(densegt.DepthStore(scene.parent))
    first = data[0]
    assert first["image"].shape == (3, 54, 96)
    assert first["depth_m"].shape == first["source"].shape == (54, 96)
    images = densegt.DepthStore(scene.parent)
    sample, channel = data.keys[0][1].split("/")
    np.testing.assert_array_equal(first["depth_m"].numpy(), images.read("scene-0001", sample, channel).depth_m)
    said = run("pytorch_store.py", scene.parent, whole_line / "world")
    assert "a batch: (2, 3, 54, 96)" in said


def stock_keys(scene: Path, world: Path) -> dict[str, Any]:
    """What mmdetection3d's LoadMultiViewImageFromFiles hands on: its documented keys, images in another order."""
    with h5py.File(scene) as file:
        token = next(iter(file))
        paths = [str(world / image.attrs["filename"]) for image in file[token].values()][::-1]
    images = [cv2.imread(path) for path in paths]
    shape = images[0].shape[:2]
    return {
        "token": token, "filename": paths, "img": images, "img_shape": shape, "ori_shape": shape, "pad_shape": shape,
        "scale_factor": 1.0, "num_views": len(paths), "num_ref_frames": -1,
    }  # fmt: skip


def test_an_mmdetection3d_pipeline(scene: Path, whole_line: Path) -> None:
    step = names_of("mmdet3d_dense_depth.py")["LoadDenseDepth"](str(scene.parent))
    results = step(stock_keys(scene, whole_line / "world"))
    assert results["gt_depth"].shape == (6, 54, 96)
    store = densegt.DepthStore(scene.parent)
    for name, depth_m in zip(results["filename"], results["gt_depth"], strict=True):
        (record,) = [i for i in store if Path(i.filename).name == Path(name).name]
        np.testing.assert_array_equal(depth_m, record.depth_m)


def test_an_mmdetection3d_pipeline_that_resizes(scene: Path, whole_line: Path) -> None:
    """The matrix of ImageAug3D: half the size, the upper ten rows cut off, mirrored."""
    results = stock_keys(scene, whole_line / "world")
    halved = [cv2.resize(image, (48, 27))[10:, ::-1] for image in results["img"]]
    matrix = np.eye(4)
    matrix[:2, :2], matrix[:2, 3] = np.diag([-0.5, 0.5]), (48, -10)
    results.update(img=halved, img_aug_matrix=[matrix] * 6)
    got = names_of("mmdet3d_dense_depth.py")["LoadDenseDepth"](str(scene.parent))(results)["gt_depth"]
    assert got.shape == (6, 17, 48)
    resize = names_of("resize_depth.py")["resize_depth"]
    for name, depth_m in zip(results["filename"], got, strict=True):
        (record,) = [i for i in densegt.DepthStore(scene.parent) if Path(i.filename).name == Path(name).name]
        np.testing.assert_array_equal(depth_m, resize(record.depth_m, (48, 27))[10:, ::-1])


def test_a_keyframe_that_no_store_has_is_named(scene: Path) -> None:
    step = names_of("mmdet3d_dense_depth.py")["LoadDenseDepth"](str(scene.parent))
    with pytest.raises(KeyError, match="no keyframe nothing"):
        step({"token": "nothing", "filename": [], "img": []})


def test_bevdepth_points_are_the_files(scene: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    densegt_does(["export", "--depth", str(scene.parent), "--format", "bevdepth-bin", "--out", str(data)])
    images = len(densegt.DepthStore(scene.parent))
    assert run("bevdepth_points.py", scene.parent, data) == f"{images} of {images} files are the same as the store\n"
    some = names_of("bevdepth_points.py")["DepthPoints"](str(scene.parent), keep_every=4)
    name = next(iter(some.place))
    whole = np.fromfile(data / "depth_gt" / f"{name}.bin", np.float32).reshape(-1, 3)
    assert 0.15 < len(some(name)) / len(whole) < 0.35


def test_two_tasks_of_a_slurm_array_share_the_work(whole_line: Path, tmp_path: Path) -> None:
    out = tmp_path / "depth"
    short = ("--camera", "CAM_FRONT", "--window", "0", "--motion", "none", "--no-refine-poses")
    for task in ("0", "1"):
        # Kernels that are compiled already.
        own = {"SLURM_ARRAY_TASK_ID": task, "NUMBA_CACHE_DIR": ""}
        said = run("slurm_array.sh", whole_line / "world", out, *short, **own)
        assert ("finished before, skipped" in said) == (task == "1")
    assert len(densegt.DepthStore(out)) > 0
    assert {path.name for path in out.glob("*.jsonl")} == {"summary-0.jsonl", "summary-1.jsonl"}


@pytest.mark.usefixtures("one_ray_at_a_time")
def test_a_ray_cluster(whole_line: Path, tmp_path: Path) -> None:
    if not (Path(sys.executable).parent / "ray").is_file():
        pytest.skip("no ray in this environment")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
    short = ("--camera", "CAM_FRONT", "--window", "0", "--motion", "none", "--no-refine-poses")
    run("ray_cluster.sh", whole_line / "world", tmp_path / "depth", *short, RAY_PORT=port, RAY_ADDRESS="")
    assert len(densegt.DepthStore(tmp_path / "depth")) > 0
