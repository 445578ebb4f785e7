"""Proposals from images: a vehicle lies behind the sides that were seen; images confirm a box on its object."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from densegt.autolabel.boxes_2d import Box2D, ImageObjects
from densegt.autolabel.frusta import FrustumCluster, corner_yaw, outlines
from densegt.autolabel.image_support import UNKNOWN, image_support
from densegt.autolabel.labels import BoxOverTime
from densegt.autolabel.object_evidence import turned
from densegt.datasets.scene import Camera
from densegt.geometry import se3

CAR = Box2D("car", 0, 0, 10, 10)
YAW = 0.4
MIDDLE = np.array([12.0, 5.0])


def sides(*which: str) -> Any:
    """Points on some sides of a rectangle of 4.4 x 1.85 m about MIDDLE."""
    t = np.linspace(-0.5, 0.5, 40)
    of = {
        "rear": np.column_stack([np.full(40, -2.2), 1.85 * t]),
        "right": np.column_stack([4.4 * t, np.full(40, -0.925)]),
    }
    return MIDDLE + turned(np.concatenate([of[name] for name in which]), YAW)


def test_a_corner_tells_yaw_and_middle() -> None:
    xy = sides("rear", "right")
    assert abs(corner_yaw(xy) - YAW) < np.deg2rad(4)
    eye = MIDDLE + turned(np.array([[-10.0, -4.0]]), YAW)[0]
    (found,) = outlines(FrustumCluster(CAR, xy, eye))
    assert np.hypot(*(np.array([found.x, found.y]) - MIDDLE)) < 0.25
    assert abs(np.sin(found.yaw - YAW)) < np.deg2rad(4)


def test_one_end_lets_the_vehicle_lie_behind_it_or_across() -> None:
    eye = MIDDLE + turned(np.array([[-10.0, 0.0]]), YAW)[0]
    found = outlines(FrustumCluster(CAR, sides("rear"), eye))
    away = [np.hypot(*(np.array([p.x, p.y]) - MIDDLE)) for p in found]
    assert len(found) == 2
    assert min(away) < 0.3


@pytest.mark.parametrize(("shift_m", "least", "most"), [(0.0, 0.95, 1.0), (2.5, 0.0, 0.6)])
def test_images_confirm_a_box_that_lies_on_its_object(shift_m: float, least: float, most: float) -> None:
    T = np.array([[0.0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 1.5], [0, 0, 0, 1]])
    K = np.array([[400.0, 0, 320], [0, 400, 180], [0, 0, 1]])
    view = Camera("data", "key", "CAM", Path("a.jpg"), "a.jpg", 640, 360, 0, K, T, np.eye(4))
    evidence: Any = SimpleNamespace(scene=SimpleNamespace(cameras=(view,)))
    box = BoxOverTime(np.array([4.4, 1.9, 1.5]), se3.from_yaw(1.2, [15.0, shift_m, 0.75]), None)
    # The rectangle around the box's corners where it is not shifted.
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * box.size_lwh_m / 2
    xyz = se3.apply(se3.from_yaw(1.2, [15.0, 0.0, 0.75]), corners)
    u, v = 320 - 400 * xyz[:, 1] / xyz[:, 0], 180 + 400 * (1.5 - xyz[:, 2]) / xyz[:, 0]
    objects = ImageObjects({"a.jpg": (Box2D("car", u.min(), v.min(), u.max(), v.max()),)})
    assert least <= image_support(box, evidence, objects) <= most
    assert image_support(box, evidence, ImageObjects({})) == UNKNOWN
    assert image_support(box, evidence, ImageObjects({"a.jpg": ()})) == 0.0
