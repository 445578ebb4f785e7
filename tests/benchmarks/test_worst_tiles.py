"""The worst tiles of a store: where the faults are, and none where there are none."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from benchmarks.figures.worst_tiles import ALL_FAULTS, TILE_PX, TIMES, Comparison, draw_worst, tiles_of


def compared(depth_m: np.ndarray, truth_m: np.ndarray) -> Comparison:
    return Comparison("scene sample CAM", None, None, depth_m.astype(np.float32), truth_m.astype(np.float32))


def test_a_tile_lies_on_the_fault_and_none_overlaps_it(tmp_path: Path) -> None:
    truth = np.full((200, 400), 10.0)
    depth = truth.copy()
    depth[100:110, 200:220] = 12
    depth[20:22, 20:22] = 12
    image = compared(depth, truth)
    first, second = tiles_of(image, image.wrong())
    assert first.bad == 200
    assert second.bad == 4
    assert first.row <= 100
    assert first.row + TILE_PX >= 110
    assert first.column <= 200
    assert first.column + TILE_PX >= 220
    draw_worst([image], ALL_FAULTS, tmp_path)
    picture = cv2.imread(str(tmp_path / "worst-error.png"))
    assert picture is not None
    assert picture.shape[1] > 4 * TILE_PX * TIMES
    assert not (tmp_path / "worst-edges.png").exists()


def test_pinholes_and_edges_are_faults_of_their_own() -> None:
    truth = np.full((120, 130), 10.0)
    truth[:, 60:] = 30
    depth = truth.copy()
    depth[50:53, 20:23] = 0
    depth[:, 60:62] = 10
    image = compared(depth, truth)
    assert ALL_FAULTS["pinholes"](image).sum() == 9
    # The first of the two wrong columns is right by the 3x3 tolerance.
    assert ALL_FAULTS["edges"](image).sum() == ALL_FAULTS["error"](image).sum() == 120


def test_what_is_right_or_has_no_truth_is_no_fault() -> None:
    truth = np.zeros((100, 100))
    truth[:50] = 10
    assert tiles_of(compared(np.full((100, 100), 10.0), truth), np.zeros((100, 100), bool)) == []
    assert not compared(np.full((100, 100), 10.0), truth).wrong().any()
