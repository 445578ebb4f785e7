"""A store against KITTI's annotated depth: matching by name, the crop, KITTI's own figures."""

import json

import cv2
import numpy as np
import pytest

from densegt.depth.depth_map import DepthMap
from densegt.depth.kitti_depth import Key, annotated_images, evaluate_against_kitti, image_figures, read_depth
from densegt.depth.store import SceneWriter
from densegt.errors import InputError

from .stores import camera, densegt

DRIVE = "2011_09_26_drive_0005"
WIDTH_PX, HEIGHT_PX = 64, 36


def write_png(path, depth_m):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.rint(np.asarray(depth_m) * 256).astype(np.uint16))


def truth_at(frame=7):
    """Depth with holes as KITTI's, every second pixel of the lower half; each pixel another depth."""
    depth = np.zeros((HEIGHT_PX, WIDTH_PX), np.float32)
    depth[18:, ::2] = 5 + np.arange(18 * 32).reshape(18, 32) / 16 + frame
    return depth


def write_store(folder, depths, *, filename="2011_09_26/{drive}_sync/image_02/data/{frame:010d}.png"):
    with SceneWriter(folder, DRIVE, {"made": "for a test"}, input_digest="0") as writer:
        for frame, depth in depths.items():
            name = filename.format(drive=DRIVE, frame=frame)
            which = camera(sample=f"{DRIVE}_{frame:010d}", channel="image_02", filename=name)
            source = (depth > 0).astype(np.uint8)
            age_s = confidence = np.zeros_like(depth)
            writer.write(which, DepthMap(depth, source, age_s, confidence))
    return folder


def whole(root, frame=7, half="val"):
    return root / half / f"{DRIVE}_sync" / "proj_depth" / "groundtruth" / "image_02" / f"{frame:010d}.png"


def test_figures_by_hand():
    truth = np.float32([[10, 20, 0, 40, 5]])
    depth = np.float32([[11, 18, 3, 0, 5]])
    coverage, rmse, mae, irmse, imae = image_figures(depth, truth)
    assert coverage == 75
    assert rmse == pytest.approx(1000 * np.sqrt((1 + 4 + 0) / 3))
    assert mae == pytest.approx(1000)
    inverse = [1000 / 11 - 100, 1000 / 18 - 50, 0]
    assert irmse == pytest.approx(np.sqrt(np.mean(np.square(inverse))))
    assert imae == pytest.approx(np.mean(np.abs(inverse)))


@pytest.mark.parametrize("filename", ["{drive}_sync/image_02/data/{frame:010d}.png", "image_02/data/{frame:010d}.png"])
def test_an_exact_store_has_no_error(tmp_path, filename):
    store = write_store(tmp_path / "store", {7: truth_at(7), 9: truth_at(9)}, filename=filename)
    for frame in (7, 9, 11):
        write_png(whole(tmp_path / "truth", frame), truth_at(frame))
    write_png(whole(tmp_path / "truth", 3, "train").parents[4] / "x.png", truth_at())
    found = evaluate_against_kitti(store, tmp_path / "truth")
    assert (found.kitti.images, found.kitti.rmse_mm, found.kitti.imae_per_km) == (2, 0, 0)
    assert found.kitti.coverage_percent == 100
    assert found.missing == [Key(DRIVE, "image_02", 11)]
    assert found.summary.all.right_percent == 100


def test_the_mean_is_over_images_not_pixels(tmp_path):
    few = truth_at(9)
    few[:, 4:] = 0
    store = write_store(tmp_path / "store", {7: truth_at(7), 9: np.where(few > 0, few + 1, 0)})
    write_png(whole(tmp_path / "truth", 7), truth_at(7))
    write_png(whole(tmp_path / "truth", 9), few)
    found = evaluate_against_kitti(store, tmp_path / "truth")
    assert found.kitti.mae_mm == pytest.approx(500)
    assert found.summary.all.mae_m < 0.1


@pytest.mark.parametrize("with_intrinsics", [True, False])
def test_a_cropped_image_is_laid_where_it_was_cut_out(tmp_path, with_intrinsics):
    folder = tmp_path / "truth" / "val_selection_cropped"
    store = write_store(tmp_path / "store", {7: truth_at(7)})
    top, left = (5, 3) if with_intrinsics else (6, 8)
    cropped = truth_at(7)[top : top + 30, left : left + 48]
    write_png(folder / "groundtruth_depth" / f"{DRIVE}_sync_groundtruth_depth_0000000007_image_02.png", cropped)
    if with_intrinsics:
        K = camera().K
        K[:2, 2] -= left, top
        (folder / "intrinsics").mkdir()
        numbers = " ".join(map(str, K.ravel().tolist()))
        (folder / "intrinsics" / f"{DRIVE}_sync_image_0000000007_image_02.txt").write_text(numbers)
    found = evaluate_against_kitti(store, tmp_path / "truth")
    assert (found.kitti.mae_mm, found.kitti.coverage_percent) == (0, 100)


def test_nothing_in_common_is_said(tmp_path):
    store = write_store(tmp_path / "store", {7: truth_at(7)})
    with pytest.raises(InputError, match="no annotated depth"):
        evaluate_against_kitti(store, tmp_path / "store")
    write_png(whole(tmp_path / "truth", 8), truth_at(8))
    with pytest.raises(InputError, match=f"no image in common: truth is of {DRIVE}"):
        evaluate_against_kitti(store, tmp_path / "truth")
    cv2.imwrite(str(whole(tmp_path / "truth", 8)), np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(InputError, match="16 bits"):
        read_depth(whole(tmp_path / "truth", 8))


def test_the_command(tmp_path):
    store = write_store(tmp_path / "store", {7: np.where(truth_at(7) > 0, truth_at(7) + 0.5, 0)})
    write_png(whole(tmp_path / "truth", 7), truth_at(7))
    out = tmp_path / "figures.json"
    done = densegt("evaluate", "--pred", store, "--truth", f"kitti-depth:{tmp_path / 'truth'}", "--json", out)
    assert done.exit_code == 0, done.output
    assert "KITTI, mean over 1 image: RMSE 500.00 mm, MAE 500.00 mm, iRMSE" in done.output
    assert json.loads(out.read_text())["kitti"]["mae_mm"] == pytest.approx(500)


def test_the_real_files_are_recognised(find_recording):
    found = annotated_images(find_recording("kitti-annotated-depth"))
    assert list(found) == [Key("2011_09_26_drive_0002", "image_02", 53)]
    (path,) = found.values()
    depth_m = read_depth(path)
    assert depth_m.shape == (352, 1216)
    assert 0.1 < (depth_m > 0).mean() < 0.35
    assert depth_m.max() < 90
