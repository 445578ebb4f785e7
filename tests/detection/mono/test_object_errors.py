"""Errors of objects, and boxes of several cameras as one."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from densegt.detection.mono.object_errors import ObjectErrors
from densegt.detection.mono.prediction import in_ref, merged
from densegt.geometry import se3

TRUE = np.array([[10.0, 1, 0, 4, 2, 1.5, 0.3], [20, -3, 0, 4, 2, 1.5, 3.0], [np.nan] * 7])


def errors(said):
    found = ObjectErrors()
    found.update(said, TRUE, np.array([1.0, 0.0, np.nan]), np.array([False, True, False]))
    return found.compute()


def test_right_boxes_have_no_error():
    found = errors(np.nan_to_num(TRUE))
    assert found["all"]["objects"] == 2
    assert (found["all"]["BEV > 0.7"], found["all"]["flips"], found["all"]["centre m"]) == (1, 0, 0)
    assert [found[name]["objects"] for name in ("whole", "moving", "standing", "15 to 30 m")] == [1, 1, 1, 1]


def test_a_turn_about_is_a_flip_and_no_error_of_the_yaw():
    said = np.nan_to_num(TRUE)
    said[0, 6] += np.pi
    said[1, :2] += [3.0, 4.0]
    found = errors(said)
    assert found["moving"]["flips"] == 1
    assert found["moving"]["yaw deg"] == pytest.approx(0, abs=1e-9)
    assert found["moving"]["BEV > 0.7"] == 1
    assert found["standing"]["centre m"] == pytest.approx(5)
    assert found["standing"]["BEV > 0.3"] == 0


def test_no_object_is_no_figure():
    assert np.isnan(ObjectErrors().compute()["all"]["centre m"])


def test_a_car_that_two_cameras_see_is_one():
    T = np.stack([se3.from_yaw(0.4, [1.0, 0, 1.5]), se3.from_yaw(-0.2, [0.5, 0.2, 1.5])])
    true = np.array([8.0, 2, 0.8, 4, 2, 1.5, 1.0])
    boxes = []
    for T_ref_view in T:
        middle = se3.apply(se3.inverse(T_ref_view), true[None, :3])[0]
        boxes.append([*middle, *true[3:6], true[6] - np.arctan2(T_ref_view[1, 0], T_ref_view[0, 0])])
    again = in_ref(np.array(boxes), T)
    assert again == pytest.approx(np.stack([true, true]))
    found = merged(again, ["car", "car"], np.array([0.3, 0.9]), "token", np.eye(4))
    assert found.scores.tolist() == [0.9]
    apart = merged(again + np.outer([0, 1], [9.0, *[0] * 6]), ["car", "car"], np.array([0.3, 0.9]), "token", np.eye(4))
    assert len(apart.scores) == 2
    assert len(merged(np.zeros((0, 7)), [], np.zeros(0), "token", np.eye(4)).scores) == 0
