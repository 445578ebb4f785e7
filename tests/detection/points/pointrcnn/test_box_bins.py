"""Boxes as bins: what is told comes back, right answers cost little, and frames there and back."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from densegt.detection.points.pointrcnn.box_bins import BoxBins  # noqa: E402
from densegt.detection.points.pointrcnn.frames import boxes_in_frame, boxes_in_ref, points_in_frame  # noqa: E402

from .box_values import MEAN, told  # noqa: E402

WIDE = BoxBins(6.0, 0.75, math.pi, 12, MEAN)
NARROW = BoxBins(1.5, 0.5, math.pi / 4, 9, MEAN)


def random_boxes(bins, count=200, seed=0):
    torch.manual_seed(seed)
    unit = 2 * torch.rand(count, 7, dtype=torch.float64) - 1
    size = torch.tensor(MEAN) * (unit[:, 3:6] * 0.5).exp()
    return torch.cat([unit[:, :2] * bins.search_m, unit[:, 2:3] * 2, size, unit[:, 6:] * bins.turn_rad], -1)


@pytest.mark.parametrize("bins", [WIDE, NARROW])
def test_what_is_told_comes_back_and_costs_nothing(bins):
    boxes = random_boxes(bins)
    values = told(bins, boxes)
    torch.testing.assert_close(bins.boxes(values), boxes)
    assert bins.losses(values, boxes).max() < 1e-6


@pytest.mark.parametrize("bins", [WIDE, NARROW])
def test_what_is_wrong_costs_more(bins):
    boxes = random_boxes(bins)
    values = told(bins, boxes)
    for shift in ([1, 0, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0, 0], [0, 0, 0.5, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0, 0]):
        assert (bins.losses(values, boxes + torch.tensor(shift))).mean() > 0.01


def test_beyond_the_border_is_at_the_border():
    far = torch.tensor([[100.0, -100, 0, 4.6, 1.95, 1.7, 0.1], [6.0, -6, 0, 4.6, 1.95, 1.7, math.pi]])
    values = torch.zeros(2, WIDE.numbers)
    assert WIDE.losses(values, far).isfinite().all()


def test_ahead_and_behind_are_one_where_only_a_quarter_turn_is_told():
    box = random_boxes(NARROW)
    turned = box + torch.tensor([0, 0, 0, 0, 0, 0, math.pi])
    values = torch.randn(len(box), NARROW.numbers, dtype=torch.float64)
    torch.testing.assert_close(NARROW.losses(values, box), NARROW.losses(values, turned))
    assert not torch.allclose(WIDE.losses(told(WIDE, box), box), WIDE.losses(told(WIDE, box), turned))


@pytest.mark.parametrize("bins", [WIDE, NARROW])
def test_gradients(bins):
    boxes = random_boxes(bins, 2, seed=3)
    values = torch.randn(2, bins.numbers, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(bins.losses, (values, boxes.requires_grad_()), fast_mode=True)


def test_frames_there_and_back():
    frames, boxes = random_boxes(WIDE, seed=1), random_boxes(WIDE, seed=2)
    seen = boxes_in_frame(boxes, frames)
    torch.testing.assert_close(boxes_in_ref(seen, frames), boxes)
    # A box's middle is seen where a point there is.
    torch.testing.assert_close(points_in_frame(boxes[:, None, :3], frames)[:, 0], seen[:, :3])
    own = boxes_in_frame(frames, frames)
    torch.testing.assert_close(own[:, [0, 1, 2, 6]], torch.zeros(len(own), 4, dtype=torch.float64))
    ahead = frames[:, None, :3] + torch.stack([frames[:, 6].cos(), frames[:, 6].sin(), torch.zeros(200)], -1)[:, None]
    torch.testing.assert_close(
        points_in_frame(ahead, frames)[:, 0], torch.tensor([1.0, 0, 0], dtype=torch.float64).expand(200, 3)
    )
