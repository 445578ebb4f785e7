"""Turned boxes: what they share, against a slow obvious twin, and what is left when the surest are kept."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.spatial import ConvexHull, QhullError

pytest.importorskip("torch")

from densegt.detection.scoring.rotated_iou import bev_iou, iou_3d, nms
from densegt.kernels.rotated_overlap import rotated_overlap


def corners(rectangle):
    x, y, length, width, yaw = rectangle
    along, across = np.array([math.cos(yaw), math.sin(yaw)]), np.array([-math.sin(yaw), math.cos(yaw)])
    signs = [(1, 1), (-1, 1), (-1, -1), (1, -1)]
    return [np.array([x, y]) + a * along * length / 2 + b * across * width / 2 for a, b in signs]


def holds(rectangle, point):
    x, y, length, width, yaw = rectangle
    dx, dy = point[0] - x, point[1] - y
    along, across = dx * math.cos(yaw) + dy * math.sin(yaw), dy * math.cos(yaw) - dx * math.sin(yaw)
    return abs(along) <= length / 2 + 1e-9 and abs(across) <= width / 2 + 1e-9


def crossing(p, q, r, s):
    along, other = q - p, s - r
    turn = along[0] * other[1] - along[1] * other[0]
    if abs(turn) < 1e-12:
        return []
    t, u = (((r - p)[0] * way[1] - (r - p)[1] * way[0]) / turn for way in (other, along))
    return [p + t * along] if 0 <= t <= 1 and 0 <= u <= 1 else []


def shared_m2(a, b):
    """The hull of all corners of one in the other and of all places where sides cross."""
    if not np.isfinite([*a, *b]).all():
        return 0.0
    of_a, of_b = corners(a), corners(b)
    points = [p for p in of_a if holds(b, p)] + [p for p in of_b if holds(a, p)]
    sides = [[(c[k], c[(k + 1) % 4]) for k in range(4)] for c in (of_a, of_b)]
    points += [p for one in sides[0] for other in sides[1] for p in crossing(*one, *other)]
    try:
        return ConvexHull(points).volume if len(points) > 2 else 0.0
    except QhullError:  # no thicker than a line
        return 0.0


def rectangles(rng, count, reach_m=6):
    return np.column_stack(
        [rng.uniform(-reach_m, reach_m, (count, 2)), rng.uniform(0.2, 8, (count, 2)), rng.uniform(-7, 7, count)]
    )


def boxes_of(rectangles, z_m=0.0, height_m=1.0):
    x, y, length, width, yaw = rectangles.T
    ones = np.ones(len(x))
    return np.column_stack([x, y, z_m * ones, length, width, height_m * ones, yaw])


def shared(a, b):
    out = np.full((len(a), len(b)), np.nan)
    rotated_overlap(a, b, out)
    return out


def test_random_rectangles_as_their_twin():
    rng = np.random.default_rng(0)
    a, b = rectangles(rng, 60), rectangles(rng, 40)
    twin = np.array([[shared_m2(p, q) for q in b] for p in a])
    assert (twin > 0).mean() > 0.2
    np.testing.assert_allclose(shared(a, b), twin, atol=1e-9)
    np.testing.assert_allclose(shared(b, a), twin.T, atol=1e-9)


def test_sides_that_fall_together_as_their_twin():
    quarter = [0.0, math.pi / 2, math.pi, math.pi / 4]
    some = np.array([[x, y, 4, 2, yaw] for x in (0, 1, 2, 4) for y in (0, 1, 2) for yaw in quarter], float)
    twin = np.array([[shared_m2(p, q) for q in some] for p in some])
    np.testing.assert_allclose(shared(some, some), twin, atol=1e-9)
    np.testing.assert_allclose(np.diag(shared(some, some)), 8, rtol=1e-12)


def test_nearly_equal_rectangles_share_nearly_all():
    rng = np.random.default_rng(1)
    one = np.array([3.0, -2, 4.5, 1.9, 0.7])
    near = one + rng.normal(0, 1e-9, (2000, 5)) * rng.integers(0, 2, (2000, 5))
    assert shared(one[None], near) == pytest.approx(4.5 * 1.9, abs=1e-6)


def test_what_is_not_finite_or_has_no_area_shares_nothing():
    strange = np.array([[math.nan, 0, 2, 2, 0], [0, 0, math.nan, 2, 0], [0, 0, 2, 2, math.nan], [0, 0, math.inf, 2, 0],
                        [0, 0, 0, 2, 0], [0, 0, 0, 0, 0]])  # fmt: skip
    usual = np.array([[0.0, 0, 2, 2, 0.3]])
    assert (shared(strange, usual)[[0, 1, 2, 4, 5]] == 0).all()
    assert (shared(usual, strange)[:, [0, 1, 2, 4, 5]] == 0).all()
    assert (bev_iou(boxes_of(strange), boxes_of(usual)) == 0).all()
    assert (bev_iou(boxes_of(strange), boxes_of(strange)) == 0).all()


def test_known_overlaps():
    unit = np.array([[0.0, 0, 0, 2, 2, 2, 0]])
    turned = np.array([[0.0, 0, 0, 2, 2, 2, math.pi / 4]])
    octagon = 8 * (math.sqrt(2) - 1)
    assert bev_iou(unit, turned) == pytest.approx(octagon / (8 - octagon))
    half = unit + np.array([1.0, 0, 1, 0, 0, 0, 0])
    assert bev_iou(unit, half) == pytest.approx(1 / 3)
    assert iou_3d(unit, half) == pytest.approx(2 / 14)
    inner = np.array([[0.0, 0, 0.25, 1, 1, 1, 0]])
    assert iou_3d(unit, inner) == pytest.approx(1 / 8)
    assert iou_3d(unit, unit + np.array([0, 0, 2.0, 0, 0, 0, 0])) == 0


def test_turning_by_half_a_circle_changes_nothing():
    rng = np.random.default_rng(2)
    a, b = boxes_of(rectangles(rng, 20)), boxes_of(rectangles(rng, 20), 0.3)
    turned = b + np.array([0, 0, 0, 0, 0, 0, math.pi])
    np.testing.assert_allclose(iou_3d(a, b), iou_3d(a, turned), atol=1e-9)


def test_no_boxes():
    some, none = boxes_of(rectangles(np.random.default_rng(3), 3)), np.zeros((0, 7))
    assert bev_iou(none, some).shape == (0, 3)
    assert iou_3d(some, none).shape == (3, 0)
    assert len(nms(none, np.zeros(0), iou=0.5, most=10)) == 0


@pytest.mark.parametrize("iou", [0.0, 0.1, 0.5, 0.85])
def test_nms_as_its_twin(iou):
    rng = np.random.default_rng(4)
    boxes, scores = boxes_of(rectangles(rng, 120, 10)), rng.integers(0, 6, 120) / 5
    overlaps = bev_iou(boxes, boxes)
    kept = []
    for i in sorted(range(120), key=lambda i: -scores[i]):
        if all(overlaps[i, k] <= iou for k in kept):
            kept.append(i)
    assert nms(boxes, scores, iou=iou, most=120).tolist() == kept
    assert nms(boxes, scores, iou=iou, most=7).tolist() == kept[:7]


def test_nms_keeps_the_first_of_equals():
    boxes = np.repeat(np.array([[0.0, 0, 0, 4, 2, 1, 0.1]]), 3, axis=0)
    assert nms(boxes, np.array([0.5, 0.7, 0.7]), iou=0.5, most=3).tolist() == [1]
