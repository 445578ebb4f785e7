"""Scores of voxels, by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from densegt.depth.kind import Kind
from densegt.occupancy.exact import ExactVoxels
from densegt.occupancy.figures import OccupancyScores
from densegt.occupancy.grid import VoxelGrid
from densegt.occupancy.voxels import State

NONE, FREE, FULL = State.UNOBSERVED, State.FREE, State.OCCUPIED


def exact(area: list[float], kind: list[int] | None = None, moves: list[bool] | None = None) -> ExactVoxels:
    n = len(area)
    kinds = np.array(kind or [Kind.STRUCTURE] * n, np.uint8).reshape(n, 1, 1)
    none = np.zeros((n, 1, 1), np.uint16)
    return ExactVoxels(
        np.array(area, np.float32).reshape(n, 1, 1), kinds, none.astype(np.uint8), none.astype(np.uint8), none,
        np.array(moves or [False] * n).reshape(n, 1, 1), np.zeros((n, 1, 1, 3), np.float32),
    )  # fmt: skip


def scored(
    state: list[int], truth: ExactVoxels, *, moves: list[int] | None = None, wake: list[int] | None = None
) -> dict[str, object]:
    shape = (len(state), 1, 1)
    states = np.array(state, np.uint8).reshape(shape)
    said, passed = (np.array(x or [0] * len(state), np.bool_).reshape(shape) for x in (moves, wake))
    scores = OccupancyScores()
    scores.update(states, said, truth, passed, states > 0)
    return scores.compute()


def test_shares_of_what_is_observed() -> None:
    #            right, missed, false, right free, unobserved, clipped: occupied is right, free is too
    figures = scored([FULL, FREE, FULL, FREE, NONE, FULL, FREE], exact([1, 1, 0, 0, 1, 0.05, 0.05]))
    assert figures["observed"] == pytest.approx(100 * 6 / 7)
    assert figures["occupied_iou"] == pytest.approx(100 / 3)
    assert figures["free_iou"] == pytest.approx(100 / 3)
    assert figures["occupied_precision"] == pytest.approx(200 / 3)
    assert figures["free_precision"] == pytest.approx(200 / 3)


def test_movers_and_their_wake() -> None:
    truth = exact([1, 1, 1, 0, 0], [Kind.LABELLED_MOVER] * 3 + [0, 0], [True, True, False, False, False])
    figures = scored([FULL, FREE, FULL, FULL, FREE], truth, moves=[1, 0, 0, 1, 0], wake=[0, 0, 0, 1, 1])
    assert figures["mover_recall"] == 50
    assert figures["mover_precision"] == 50
    assert figures["wake_occupied"] == 50
    # Beside the third there is surface: no trail.
    assert figures["trail_occupied"] == 0
    assert figures["recall_by_kind"] == {"labelled_mover": pytest.approx(200 / 3)}


def test_classes() -> None:
    truth = replace(exact([1, 1, 1, 0, 1]), code=np.array([4, 4, 11, 0, 0], np.uint8).reshape(5, 1, 1))
    scores = OccupancyScores()
    # Right, of unknown class, a car where there is road, a car in the air; what is truly of no class does not count.
    code = np.array([4, 0, 4, 4, 4], np.uint8).reshape(5, 1, 1)
    scores.update_classes(code, truth, np.ones((5, 1, 1), np.bool_))
    figures = scores.compute()
    assert figures["class_iou"] == {"car": 25, "driveable_surface": 0}
    assert figures["class_miou"] == 12.5
    assert figures["class_miou_things"] == 25


def test_flow() -> None:
    truth = exact([1, 1, 1, 1, 0], moves=[True, True, True, False, False])
    truth.flow_mps[:3, ..., 0] = 5
    flow = np.zeros((5, 1, 1, 3))
    flow[:, 0, 0, 0] = (5.25, 3, 5, 1, 9)
    occupied = np.array([True, True, False, True, True]).reshape(5, 1, 1)
    scores = OccupancyScores()
    scores.update_flow(flow, occupied, truth, np.ones((5, 1, 1), np.bool_))
    figures = scores.compute()
    assert figures["flow_error_mps"] == pytest.approx((0.25 + 2) / 2)
    assert figures["flow_right"] == 50
    assert figures["still_with_flow"] == 100


def test_by_range() -> None:
    grid = VoxelGrid("", "ego", (0.0, -0.5, -0.5), 5.0, (4, 1, 1))
    scores, truth = OccupancyScores(), exact([1, 1, 1, 0])
    state = np.array([FULL, FULL, FREE, FREE], np.uint8).reshape(4, 1, 1)
    scores.update_ranges(state, truth, state > 0, grid)
    figures = scores.compute()["by_range_m"]
    assert figures["0-10"] == {"occupied_iou": 100, "free_precision": None}
    assert figures["10-20"] == {"occupied_iou": 0, "free_precision": 50}
    assert figures["20-30"] == {"occupied_iou": None, "free_precision": None}


def test_rays() -> None:
    scores = OccupancyScores()
    # Right at 1 m, right at 4 m alone, missed, false, nothing on either side.
    scores.update_rays(np.array([10.5, 10, np.inf, 10, np.inf]), np.array([10, 13, 10, np.inf, np.inf]))
    assert scores.compute()["ray_iou"] == pytest.approx(100 * (1 / 5 + 1 / 5 + 2 / 4) / 3)


def test_masks_and_nothing_at_all() -> None:
    scores = OccupancyScores()
    assert scores.compute()["occupied_iou"] is None
    assert scores.compute()["ray_iou"] is None
    scores.update_mask("mask", np.array([True, True, False, False]), np.array([True, False, False, False]))
    assert scores.compute()["mask_agreement"] == 75
    assert scores.compute()["mask_iou"] == 50
