"""Points in moving boxes."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.geometry import se3
from densegt.kernels.assign_points import (
    MovingBoxes,
    SampledPoses,
    TimedPoints,
    assign_points_to_boxes,
    move_into_box,
    pose_between,
)

from ..twins import twin_of


def sampled(boxes: int, rng: np.random.Generator) -> SampledPoses:
    poses = np.array(
        [[se3.from_yaw(rng.uniform(-3, 3), rng.normal(0, 2, 3))[:3] for _ in range(7)] for _ in range(boxes)]
    )
    return SampledPoses(poses.reshape(boxes, 7, 3, 4), -0.1, 0.1)


def points_of(n: int, rng: np.random.Generator) -> TimedPoints:
    xyz = rng.normal(0, 3, (n, 3)).astype(np.float32)
    xyz[: n // 50] = np.nan
    time_s = rng.uniform(-0.3, 0.8, n).astype(np.float32)
    return TimedPoints(xyz, time_s, np.array([0, n // 3, n // 3, n]))


@pytest.mark.parametrize("time_s", [-1.0, -0.1, 0.0, 0.13, 0.5, 2.0])
def test_pose_equals_twin(time_s: float) -> None:
    motion = sampled(2, np.random.default_rng(0))
    got, wanted = np.empty((3, 4)), np.empty((3, 4))
    pose_between(motion, 1, time_s, got)
    twin_of(pose_between)(motion, 1, time_s, wanted)
    np.testing.assert_allclose(got, wanted, atol=1e-12)


@pytest.mark.parametrize(("n", "boxes"), [(0, 2), (500, 0), (500, 1), (900, 4)])
def test_assignment_and_move_equal_twins(n: int, boxes: int) -> None:
    rng = np.random.default_rng(n + boxes)
    motion, points = sampled(boxes, rng), points_of(n, rng)
    half_m = rng.uniform(1, 3, (boxes, 3))
    world = MovingBoxes(
        centre=rng.normal(0, 1, (boxes, 3, 3)),
        known=rng.random((boxes, 3)) < 0.8,
        radius_m=rng.uniform(3, 6, boxes),
        half_m=half_m,
        ambiguous_below_m=-0.5 * half_m[:, 2],
    )
    got, wanted = np.full(n, 77, np.int32), np.full(n, 77, np.int32)
    assign_points_to_boxes(points, world, motion, -1, -2, got)
    twin_of(assign_points_to_boxes)(points, world, motion, -1, -2, wanted)
    np.testing.assert_array_equal(got, wanted)
    if boxes == 4:
        assert {-2, -1, 0} <= set(got.tolist())
    tangents, rows = rng.normal(size=(n, 2, 3)).astype(np.float32), np.arange(n)[n // 50 :: 2]
    for box in range(boxes):
        out = [(np.empty((len(rows), 3), np.float32), np.empty((len(rows), 2, 3), np.float32)) for _ in range(2)]
        for move, (xyz_box, tangents_box) in zip((move_into_box, twin_of(move_into_box)), out, strict=True):
            move(points, tangents, rows, motion, box, xyz_box, tangents_box)
        for mine, twins in zip(*out, strict=True):
            np.testing.assert_allclose(mine, twins, rtol=1e-4, atol=1e-4)
