"""Sight lines from a camera to points: free, unclear or behind a surface."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.kernels.range_images import Margin
from densegt.kernels.sight_lines import BEHIND, FREE, UNCLEAR, SightRule, sight_lines

from ..twins import twin_of
from .test_free_space import SWEEPS, images_of, still_lidar

# Kernels of many sizes are held against reference implementations.
pytestmark = pytest.mark.slow

RULE = SightRule(nearest_m=1.0, absolute_m=0.5, relative=0.05, step_rad=0.01, bend=0.03, skip=0.15)
MARGIN = Margin(0.1, 0.01)
ELEVATION = np.radians(np.arange(-20.0, 5.0)).tolist()


def asked(xyz, images, own=(0,), others=(), eye=(0.0, 0, -0.5), kernel=sight_lines, rule=RULE):
    state = np.full(len(xyz), 9, np.uint8)
    sweeps = (np.array(part, np.int64) for part in (own, others))
    xyz = np.asarray(xyz, np.float32).reshape(-1, 3)
    kernel(xyz, np.array(eye, np.float32), *sweeps, images, MARGIN, rule, state)
    return state


@pytest.mark.parametrize(
    ("seed", "answers", "lidars"), [(0, 1.0, 1), (1, 0.8, 1), (2, 0.95, 2), (3, 0.9, 3), (4, 0, 1)]
)
def test_equals_twin(seed, answers, lidars):
    rng = np.random.default_rng(seed)
    images = images_of(seed, answers, lidars=lidars, farthest_m=12.0)
    # Smooth enough that planes are seen, and whole sight lines are free.
    smooth = np.cumsum(rng.normal(0, 0.05, images.ranges_m.shape), axis=2)
    images = images._replace(ranges_m=np.where(images.ranges_m > 0, 8 + smooth, 0).astype(np.float32))
    xyz = rng.normal(0, 6, (60, 3)).astype(np.float32)
    xyz[:4] = [[np.nan, 0, 0], [np.inf, 0, 0], [0.1, 0, -0.5], [0, 0, -0.5]]
    wanted, rule = twin_of(sight_lines), RULE._replace(step_rad=0.1)
    found = []
    for own, others in (((0,), ()), ((1, 2, 3), (0, -1, SWEEPS - 1)), ((), (1,)), ((0,), (-1, -1))):
        eye = rng.normal(0, 0.5, 3)
        ours = asked(xyz, images, own, others, eye, rule=rule)
        theirs = asked(xyz, images, own, others, eye, kernel=wanted, rule=rule)
        # float32 of the kernel's beam may fall to the other side of a border.
        assert (ours != theirs).mean() <= 0.02
        found += ours.tolist()
    if answers == 1:
        assert {FREE, UNCLEAR, BEHIND} <= set(found)


def test_no_points():
    assert len(asked(np.zeros((0, 3)), images_of(0, 1.0))) == 0


def street(lidar_m=1.8, wall_m=30.0, box=None):
    """Ranges (1,R,C) of flat ground and a wall all around, and of a box: first, last azimuth; distance, top m."""
    columns = 720
    azimuth = -np.pi + (np.arange(columns) + 0.5) * 2 * np.pi / columns
    slope = np.tan(ELEVATION)[:, None]
    with np.errstate(divide="ignore"):
        flat = np.where(slope < 0, np.minimum(-lidar_m / slope, wall_m), wall_m) * np.ones(columns)
    if box is not None:
        first, last, distance, top = box
        on = (azimuth >= first) & (azimuth <= last) & (slope * distance + lidar_m <= top) & (flat > distance)
        flat = np.where(on, distance, flat)
    return still_lidar((flat * np.hypot(1, slope))[None], ELEVATION)


def test_ground_and_wall_are_surely_seen():
    images = street()
    points = [[x, 0, -1.8] for x in (5, 10, 15, 20)] + [[30, 0, z] for z in (-1.5, 0, 1.5)]
    assert asked(points, images).tolist() == [FREE] * len(points)


def test_a_wall_over_a_car_is_seen_by_the_lidar_but_not_by_the_camera_below():
    """Over a roof of 1.5 m at 10 m one sees the wall from 1.8 m down to 0.9 m, from 1.3 m down to 1.9 m."""
    images = street(box=(-0.2, 0.2, 10.0, 1.5))
    assert asked([[30, 0, 2.2 - 1.8]], images).tolist() == [FREE]
    assert asked([[30, 0, 1.2 - 1.8]], images).tolist() != [FREE]
    # Beside the car nothing is in the way.
    assert asked([[25, 12, 1.2 - 1.8]], images).tolist() == [FREE]


def test_a_point_close_beside_an_outline_is_unclear_and_another_sweep_may_tell():
    images = street(box=(0.0, 0.2, 10.0, 3.0))
    beside = [[29.9, -0.05, 0.0]]
    assert asked(beside, images).tolist() == [UNCLEAR]
    both = images._replace(
        **{
            name: np.concatenate([getattr(images, name), getattr(street(), name)])
            for name in ("ranges_m", "lidar", "origin", "velocity", "R_lidar_global", "read")
        }
    )
    assert asked(beside, both, others=(1,)).tolist() == [FREE]
    assert asked(beside, both, others=(-1,)).tolist() == [UNCLEAR]


def test_a_point_behind_a_wall_is_behind():
    assert asked([[40.0, 0, 0.0]], street()).tolist() == [BEHIND]
    # However free another moment was.
    assert asked([[40.0, 0, 0.0]], street(), others=(0,)).tolist() == [BEHIND]


def test_a_surface_within_the_tolerance_hides_nothing():
    assert asked([[31.0, 0, 0.0]], street()).tolist() == [FREE]


def test_where_nothing_came_back_nothing_is_sure():
    images = street()
    empty = images._replace(ranges_m=np.zeros_like(images.ranges_m))
    assert asked([[20.0, 0, 0.0]], empty).tolist() == [UNCLEAR]
