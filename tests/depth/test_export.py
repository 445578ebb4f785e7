from importlib import import_module
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from densegt.depth.export import FORMATS, ExportChoice, estimate_export, export_store, write_whole
from densegt.errors import InputError

from .stores import HEIGHT_PX, WIDTH_PX, camera, densegt, world, write_store


@pytest.fixture
def store(tmp_path):
    cams = [camera(sample=f"s{i}", channel=c, timestamp_us=i) for i in range(2) for c in ("CAM_FRONT", "CAM_BACK")]
    return write_store(tmp_path / "store", [(cam, depth_of(cam), None) for cam in cams])


def depth_of(cam):
    """Different for every image; the full range of steps, border pixels too."""
    depth = world()[0].copy()
    depth[0, 0], depth[0, -1], depth[-1, 0], depth[-1, -1] = 1 / 256, 255.99609375, 3, 4 + cam.timestamp_us
    return depth


def test_kitti_png(store, tmp_path):
    assert export_store(store, tmp_path / "out", "kitti-png") == (4, 0)
    path = tmp_path / "out/scene-0001/CAM_BACK/s1__CAM_BACK.png"
    raw = cv2.imread(str(path), cv2.IMREAD_ANYDEPTH)
    assert raw.dtype == np.uint16
    np.testing.assert_array_equal(raw / 256, depth_of(camera(timestamp_us=1)))
    assert len(list((tmp_path / "out").rglob("*"))) == 1 + 2 + 4


def read_as_bevdepth(path, *, resize=1.0, flip=False):
    """Their reader's convention: scale, mirror at the width, cut to integers, the last point wins."""
    points = np.fromfile(path, dtype=np.float32, count=-1).reshape(-1, 3)
    height, width = int(HEIGHT_PX * resize), int(WIDTH_PX * resize)
    points[:, :2] *= resize
    if flip:
        points[:, 0] = width - points[:, 0]
    cell = points[:, :2].astype(np.int16)
    assert (cell >= 0).all()
    assert (cell < (width, height)).all()
    depth = np.zeros((height, width))
    depth[cell[:, 1], cell[:, 0]] = points[:, 2]
    return depth


def test_bevdepth_bin(store, tmp_path):
    export_store(store, tmp_path / "out", "bevdepth-bin")
    path = tmp_path / "out/depth_gt/s0__CAM_FRONT.jpg.bin"
    depth = depth_of(camera(timestamp_us=0))
    np.testing.assert_array_equal(read_as_bevdepth(path), depth)
    np.testing.assert_array_equal(read_as_bevdepth(path, flip=True), depth[:, ::-1])
    points = np.fromfile(path, dtype=np.float32).reshape(-1, 3)
    assert len(points) == (depth > 0).sum()
    for nearest in (np.rint(points[:, :2]), np.floor(points[:, :2] + 0.5)):
        column, row = nearest.astype(int).T
        np.testing.assert_array_equal(depth[row, column], points[:, 2])


def test_bevdepth_keeps_the_nearest_when_made_smaller(store, tmp_path):
    export_store(store, tmp_path / "out", "bevdepth-bin")
    small = read_as_bevdepth(tmp_path / "out/depth_gt/s0__CAM_FRONT.jpg.bin", resize=0.5)
    depth = depth_of(camera(timestamp_us=0))
    blocks = np.where(depth > 0, depth, np.inf).reshape(HEIGHT_PX // 2, 2, WIDTH_PX // 2, 2).min(axis=(1, 3))
    np.testing.assert_array_equal(small, np.where(np.isfinite(blocks), blocks, 0))


def test_npz(store, tmp_path):
    export_store(store, tmp_path / "out", "npz")
    with np.load(tmp_path / "out/scene-0001/CAM_FRONT/s0__CAM_FRONT.npz") as data:
        assert data["depth_m"].dtype == np.float32
        np.testing.assert_array_equal(data["depth_m"], depth_of(camera(timestamp_us=0)))
        np.testing.assert_array_equal(data["source"], np.where(data["depth_m"] > 0, 2, 0))
        np.testing.assert_array_equal(data["K"], camera().K)
        assert data["T_global_cam"].shape == (4, 4)
        assert str(data["sample_token"]) == "s0"


def test_an_image_without_depth(tmp_path):
    store = write_store(tmp_path / "store", [(camera(), np.zeros((HEIGHT_PX, WIDTH_PX)), None)])
    for name in FORMATS:
        export_store(store, tmp_path / name, name)
    assert (tmp_path / "bevdepth-bin/depth_gt/sample0__CAM_FRONT.jpg.bin").read_bytes() == b""


@pytest.mark.parametrize("name", FORMATS)
def test_existing_files(store, tmp_path, name):
    out = tmp_path / "out"
    export_store(store, out, name)
    files = sorted(p for p in out.rglob("*") if p.is_file())
    assert len(files) == 4
    with pytest.raises(InputError, match="exists already"):
        export_store(store, out, name)
    whole = files[0].read_bytes()
    files[0].write_bytes(b"old")
    files[1].unlink()
    assert export_store(store, out, name, existing="keep") == (1, 3)
    assert files[0].read_bytes() == b"old"
    assert export_store(store, out, name, existing="overwrite") == (4, 0)
    assert files[0].read_bytes() == whole
    assert sorted(p for p in out.rglob("*") if p.is_file()) == files


def test_another_scenes_files_are_in_nobodys_way(store, tmp_path):
    export_store(store, tmp_path / "out", "kitti-png")
    other = write_store(tmp_path / "other", [(camera(), world()[0], None)], scene="scene-0002")
    assert export_store(other, tmp_path / "out", "kitti-png") == (1, 0)


def test_two_images_of_one_name(tmp_path):
    cams = [camera(sample=s, filename=f"samples/{s}/same.jpg") for s in ("a", "b")]
    store = write_store(tmp_path / "store", [(cam, world()[0], None) for cam in cams])
    with pytest.raises(InputError, match="scene-0001/a/CAM_FRONT and scene-0001/b/CAM_FRONT"):
        export_store(store, tmp_path / "out", "bevdepth-bin")


def test_an_interrupted_write_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_whole(tmp_path / "a.png", b"x")
    assert list(tmp_path.iterdir()) == []


def test_command(store, tmp_path):
    def run(*more):
        return densegt("export", "--depth", store, "--format", "npz", "--out", tmp_path / "out", *more)

    assert "4 npz files written" in run().output
    assert isinstance(run().exception, InputError)
    assert "0 npz files written, 4 kept" in run("--resume").output
    assert "4 npz files written" in run("--overwrite").output


def test_command_offers_every_format():
    command = import_module("densegt.cli.export").command
    (choice,) = (p.type for p in command.params if p.name == "form")
    # The layouts of voxels come after them.
    assert list(choice.choices)[: len(FORMATS)] == list(FORMATS)


@pytest.mark.parametrize("form", FORMATS)
def test_one_camera_at_the_size_of_a_network(store, tmp_path, form):
    out = tmp_path / "out"
    words = (
        "export",
        "--depth",
        store,
        "--format",
        form,
        "--out",
        out,
        "--camera",
        "CAM_FRONT",
        "--image-size",
        "32x18",
    )
    told = densegt(*words, "--estimate")
    assert told.exit_code == 0, told.output
    assert told.stdout.startswith(f"{out}: 2 images, about 0.0 MB; ")
    assert not out.exists()
    result = densegt(*words)
    assert result.stdout == f"{out}: 2 {form} files written\n"
    paths = [path for path in out.rglob("*") if path.is_file()]
    assert len(paths) == 2
    assert all("CAM_FRONT" in str(path) for path in paths)
    path = next(path for path in paths if "s1__" in path.name)
    full = depth_of(camera(sample="s1", timestamp_us=1))
    nearest = np.where(full > 0, full, np.inf).reshape(18, 2, 32, 2).min(axis=(1, 3))
    nearest[np.isinf(nearest)] = 0
    if form == "bevdepth-bin":
        # Columns and rows of the full image; its loader makes it smaller.
        np.testing.assert_array_equal(read_as_bevdepth(path, resize=0.5), nearest)
    elif form == "npz":
        held = np.load(path)
        np.testing.assert_array_equal(held["depth_m"], nearest)
        assert held["K"][0, 0] == 25
    else:
        np.testing.assert_array_equal(cv2.imread(str(path), cv2.IMREAD_ANYDEPTH) / 256, nearest)


def test_the_estimate_is_near_what_is_written(store, tmp_path):
    for form in FORMATS:
        told = estimate_export(store, tmp_path / "new" / form, form)
        export_store(store, tmp_path / "new" / form, form)
        written = sum(path.stat().st_size for path in (tmp_path / "new" / form).rglob("*") if path.is_file())
        assert told.images == 4
        assert told.bytes == pytest.approx(written, rel=0.02)
        assert told.free_bytes > 0


def test_a_disk_that_is_too_small_is_named_before_the_run(store, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=10))
    result = densegt("export", "--depth", store, "--format", "npz", "--out", tmp_path / "out")
    assert "--image-size, --camera and --scene make it less" in str(result.exception)
    assert not (tmp_path / "out").exists()


def test_an_unknown_camera_or_a_larger_size_is_named(store, tmp_path):
    choices = {"CAM_FRONT": ExportChoice(cameras=("CAM_FRNT",)), "less than 800x450": ExportChoice(size=(800, 450))}
    for says, choice in choices.items():
        with pytest.raises(InputError, match=says):
            export_store(store, tmp_path / "out", "npz", choice)
