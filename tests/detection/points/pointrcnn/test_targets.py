"""What points and regions are asked."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from densegt.detection.points.pointrcnn.targets import (  # noqa: E402
    RegionTarget,
    learned_from,
    point_target,
    region_target,
    shaken,
    wanted,
)  # fmt: skip
from densegt.detection.scoring.rotated_iou import iou_3d  # noqa: E402

NOTHING = [math.nan] * 7


def test_boxes_of_other_classes_and_padding_are_not_wanted():
    boxes = torch.arange(36.0).view(1, 4, 9)
    boxes[0, 3] = math.nan
    kept, place = wanted(boxes, torch.tensor([[2, 5, 0, -1]]), (0, 2))
    assert place.tolist() == [[1, -1, 0, -1]]
    assert kept.isfinite().all(-1).tolist() == [[True, False, True, False]]


def test_points_know_their_box_and_those_beside_it_are_asked_nothing():
    boxes = torch.tensor([[[0.0, 0, 0, 4, 2, 2, math.pi / 2], [10, 0, 0, 4, 2, 2, 0], NOTHING]])
    xyz = torch.tensor([[[0.0, 1.9, 0], [1.1, 0, 0], [1.3, 0, 0], [11.9, 0.9, -0.9], [0, 0, 1.1]]])
    target = point_target(xyz, boxes)
    assert target.foreground.tolist() == [[True, False, False, True, False]]
    assert target.known.tolist() == [[True, False, True, True, False]]
    assert target.box[0, [0, 3]].tolist() == [0, 1]
    none = point_target(xyz, torch.zeros(1, 0, 7))
    assert not none.foreground.any()
    assert none.known.all()


def test_regions_know_the_box_of_their_own_sample():
    boxes = torch.tensor([[[0.0, 0, 0, 4, 2, 2, 0], NOTHING], [[0.0, 1, 0, 4, 2, 2, 0], [9, 9, 0, 4, 2, 2, 1]]])
    regions = torch.tensor([[0.0, 1, 0, 4, 2, 2, 0], [0, 1, 0, 4, 2, 2, 0], [9, 9, 0, 4, 2, 2, 1], [50.0] * 7])
    target = region_target(regions, torch.tensor([0, 1, 1, 1]), boxes, torch.tensor([[0, -1], [1, 2]]))
    assert target.classes.tolist() == [0, 1, 2, -1]
    torch.testing.assert_close(target.iou, torch.tensor([1 / 3, 1, 1, 0]))
    assert target.boxes[0].tolist() == boxes[0, 0].tolist()
    none = region_target(regions, torch.tensor([0, 0, 0, 0]), torch.zeros(1, 0, 7), torch.zeros(1, 0).long())
    assert none.classes.tolist() == [-1] * 4


def test_shaken_boxes_are_still_near():
    torch.manual_seed(0)
    boxes = torch.tensor([[[0.0, 0, 0, 4, 2, 2, 0], NOTHING], [NOTHING, [9, 9, 0, 4, 2, 2, 1]]])
    near, sample = shaken(boxes)
    assert sorted(set(sample.tolist())) == [0, 1]
    true = torch.stack([boxes[0, 0], boxes[1, 1]])[sample]
    overlaps = iou_3d(near.numpy(), true.numpy()).diagonal()
    assert (overlaps > 0.3).all()
    assert overlaps.max() < 0.999


def test_half_of_what_is_learned_from_is_right_where_so_much_is():
    torch.manual_seed(0)
    iou = torch.tensor([0.9] * 20 + [0.3] * 3 + [0.0] * 30 + [0.8] * 2 + [0.0] * 20)
    sample = torch.tensor([0] * 53 + [1] * 22)
    target = RegionTarget(torch.zeros(75, 7), torch.zeros(75).long(), iou)
    chosen = learned_from(target, sample, 3, count=16, right_iou=0.55)
    for b, right in ((0, 8), (1, 2), (2, 0)):
        mine = chosen[sample[chosen] == b]
        assert len(mine) == (0 if b == 2 else 16)
        assert (iou[mine] > 0.5).sum() == right
    assert {20, 21, 22} <= set(chosen.tolist())  # the hard ones
    assert len(chosen.unique()) == len(chosen)
