"""Each shape's ray test against a densely sampled ray."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from densegt.kernels import raycast_shapes as shapes
from densegt.simulate import solids
from densegt.simulate.ground import make_ground
from densegt.simulate.materials import Material

from . import reference

Array = NDArray[np.float64]
GREY = (0.5, 0.5, 0.5)
STEP_M = 0.002


def _rays(rng: np.random.Generator, count: int, reach: float) -> tuple[Array, Array]:
    """Rays from outside that mostly aim at the origin's surroundings."""
    start = rng.normal(size=(count, 3))
    start *= 2.5 * reach / np.linalg.norm(start, axis=1, keepdims=True)
    aim = rng.uniform(-0.9, 0.9, (count, 3)) * reach
    way = aim - start
    return start, way / np.linalg.norm(way, axis=1, keepdims=True)


def _solids(rng: np.random.Generator) -> dict[str, tuple[solids.Solid, Callable[..., tuple], Callable[..., Array]]]:
    hull = solids.polyhedron(rng.uniform(-1, 1, (12, 3)), Material.PAINT, GREY)
    ball = solids.ellipsoid(rng.uniform(-0.2, 0.2, 3), rng.uniform(0.4, 1, 3), Material.PAINT, GREY)
    ends = rng.uniform(-0.7, 0.7, (2, 3))
    capsule = solids.capsule(ends[0], ends[1], 0.3, Material.PAINT, GREY)
    cylinder = solids.cylinder(ends[0], ends[1], 0.3, Material.PAINT, GREY)
    house = solids.building((3.5, 2.5, 2.6), pitch_m=0.8, storey_m=0.8, window=(0.4, 0.4, 0.15, 0.2), colour=GREY)
    return {
        "polyhedron": (
            hull,
            lambda ray: shapes.polyhedron_hit(ray, hull.planes, 0, len(hull.planes)),
            lambda xyz: reference.inside_polyhedron(xyz, hull.planes),
        ),
        "ellipsoid": (
            ball,
            lambda ray: shapes.ellipsoid_hit(ray, ball.param),
            lambda xyz: reference.inside_ellipsoid(xyz, ball.param),
        ),
        "capsule": (
            capsule,
            lambda ray: shapes.capsule_hit(ray, capsule.param),
            lambda xyz: reference.inside_capsule(xyz, capsule.param),
        ),
        "cylinder": (
            cylinder,
            lambda ray: shapes.cylinder_hit(ray, cylinder.param),
            lambda xyz: reference.inside_cylinder(xyz, cylinder.param),
        ),
        "building": (
            house,
            lambda ray: shapes.building_hit(ray, house.param)[:4],
            lambda xyz: reference.inside_building(xyz, house.param),
        ),
    }


@pytest.mark.parametrize("name", ["polyhedron", "ellipsoid", "capsule", "cylinder", "building"])
def test_hits_agree_with_a_sampled_ray(name: str) -> None:
    rng = np.random.default_rng(3)
    solid, hit, inside = _solids(rng)[name]
    reach = 2.6 if name == "building" else 1.2
    starts, ways = _rays(rng, 150 if reach > 2 else 400, reach)
    if name == "building":
        starts[:, 2] = np.abs(starts[:, 2])
    t = np.arange(0, 5 * reach, STEP_M)
    met = 0
    for start, way in zip(starts, ways, strict=True):
        xyz = start + t[:, None] * way
        expected, (found, *normal) = reference.first_entry(inside(xyz), t), hit(shapes.Ray(*start, *way))
        chord = inside(xyz).sum() * STEP_M
        if chord < 0.02:
            continue  # a sampled ray may miss a corner that it only grazes
        met += 1
        assert found == pytest.approx(expected, abs=2 * STEP_M)
        assert np.linalg.norm(normal) == pytest.approx(1, abs=1e-9)
        assert np.dot(normal, way) < 1e-9
        point = start + found * way
        assert (point <= solid.high + 1e-6).all()
        assert (point >= np.where([1, 1, name != "building"], solid.low - 1e-6, -9.0)).all()  # it has no floor
        outside = point + 0.004 * np.array(normal) - 1e-4 * way
        assert not inside(outside[None])[0]
    assert met > 25


def test_a_solid_can_be_moved() -> None:
    rng = np.random.default_rng(5)
    solid, _, _ = _solids(rng)["polyhedron"]
    moved = solid.moved([1.0, 2.0, 3.0])
    hit = shapes.polyhedron_hit(shapes.Ray(1.0, 2.0, 10.0, 0.0, 0.0, -1.0), moved.planes, 0, len(moved.planes))
    at_home = shapes.polyhedron_hit(shapes.Ray(0.0, 0.0, 7.0, 0.0, 0.0, -1.0), solid.planes, 0, len(solid.planes))
    np.testing.assert_allclose(hit, at_home, atol=1e-12)


def test_ground_heights_and_hits() -> None:
    from densegt.kernels.raycast_ground import ground_hit

    rng = np.random.default_rng(11)
    ground = make_ground(rng)
    xy = rng.uniform(-60, 60, (2000, 2))
    np.testing.assert_allclose(ground.heights(xy), reference.ground_height(xy, ground.vector), atol=1e-9)
    grazed = 0
    for _ in range(120):
        x = rng.uniform(-20, 20)
        start = np.array([x, ground.centre(np.array([x]))[0] + rng.uniform(-4, 4), 0.0])
        start[2] = ground.height(start[:2]) + 1.7
        turn, down = rng.uniform(-np.pi, np.pi), -rng.uniform(0.02, 0.5)
        way = np.array([np.cos(turn) * np.cos(down), np.sin(turn) * np.cos(down), np.sin(down)])
        t = np.arange(0, 120, 0.005)
        xyz = start + t[:, None] * way
        below = xyz[:, 2] < reference.ground_height(xyz[:, :2], ground.vector)
        found = ground_hit(shapes.Ray(*start, *way), ground.vector, 120.0)
        expected = reference.first_entry(below, t)
        if expected < 0:
            assert found < 0
        elif abs(found - expected) > 0.02:
            grazed += 1  # a kerb's edge, cut by less than a step
        else:
            point = start + found * way
            assert point[2] == pytest.approx(ground.height(point[:2]), abs=1e-4)
    assert grazed <= 4


def test_the_ground_never_comes_nearer_faster_than_stated() -> None:
    """What the ray's steps rest on."""
    from densegt.kernels.raycast_ground import closing_rate

    rng, step = np.random.default_rng(1), 1e-4
    for seed in range(5):
        smooth = make_ground(np.random.default_rng(seed)).vector.copy()
        smooth[6] = 0.0
        for _ in range(40):
            xy, way = rng.uniform(-100, 100, (500, 2)), rng.normal(size=3) * [1, 1, 0.1]
            way /= np.linalg.norm(way)
            rise = reference.ground_height(xy + step * way[:2], smooth) - reference.ground_height(xy, smooth)
            assert (rise / step - way[2]).max() <= closing_rate(*way, smooth) + 1e-5
