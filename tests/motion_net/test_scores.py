"""Scores of votes, and the losses, on cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from densegt.depth.point_votes import NO_CLASS
from densegt.motion_net.losses import lovasz_hinge, object_weight
from densegt.motion_net.scores import MotionScores


def test_points_and_objects() -> None:
    scores = MotionScores()
    # An object of six points, four found; one of five, one found; one of three, too few; a static one called moving.
    truth = np.array([1] * 6 + [1] * 5 + [1] * 3 + [0, 0, -1], dtype=np.int8)
    moving = np.array([1, 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 1, 1, 1, 1, 0, 1], dtype=bool)
    thing = np.array([1] * 6 + [2] * 5 + [3] * 3 + [4, 0, 0])
    speed = np.array([5.0] * 6 + [0.8] * 5 + [5] * 3 + [0, 0, 0], dtype=np.float32)
    range_m = np.array([15.0] * 6 + [35] * 5 + [5] * 3 + [1, 1, 1], dtype=np.float32)
    kind = np.array([3] * 6 + [6] * 5 + [3] * 3 + [3, NO_CLASS, NO_CLASS], dtype=np.uint8)
    scores.update(moving, truth, thing, speed, range_m, kind)
    found = scores.compute()
    assert found["IoU"] == pytest.approx(100 * 8 / 15)
    assert found["precision"] == pytest.approx(100 * 8 / 9)
    assert found["recall"] == pytest.approx(100 * 8 / 14)
    assert found["objects"]["all"] == 2
    assert found["objects found"]["all"] == 50
    assert found["objects found"]["near and fast"] == 100
    assert found["objects found"]["kind pedestrian"] == 0
    assert found["objects found"]["range m 30-50"] == 0
    assert found["objects found"]["speed m/s 0-1"] == 0
    scores.update_classes(np.array([3, 3, 6]), np.array([3, 6, 6], dtype=np.uint8))
    assert scores.compute()["mIoU of classes"] == pytest.approx(50)


def test_nothing_is_no_share() -> None:
    found = MotionScores().compute()
    assert found["IoU"] is None
    assert found["mIoU of classes"] is None


def test_lovasz_is_one_minus_iou_where_all_are_sure() -> None:
    truth = torch.tensor([1.0, 1, 1, 0, 0, 0, 0])
    said = torch.tensor([1.0, 1, -1, 1, -1, -1, -1])
    # Two of four: margins of one, so errors of two and none.
    assert float(lovasz_hinge(said, truth)) == pytest.approx(1 - 2 / 4)
    assert float(lovasz_hinge(torch.zeros(0), torch.zeros(0))) == 0


def test_lovasz_gradient() -> None:
    torch.manual_seed(0)
    truth = (torch.rand(12) > 0.5).double()
    said = torch.randn(12, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: lovasz_hinge(x, truth), said)


def test_small_objects_weigh_more_and_those_of_two_examples_are_two() -> None:
    thing = torch.tensor([0, 1, 1, 1, 1, 1, 1, 1, 1])
    one = object_weight(thing, torch.zeros(9, dtype=torch.long))
    two = object_weight(thing, torch.tensor([0, 0, 0, 0, 0, 1, 1, 1, 1]))
    assert one[0] == two[0] == 1
    assert (two[1:] > one[1:]).all()
