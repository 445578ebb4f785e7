"""Each shape's ray test and the ground's against densely sampled rays."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from densegt.kernels.raycast_ground import closing_rate, ground_hit, heights
from densegt.kernels.raycast_shapes import Ray, building_hit, capsule_hit, cylinder_hit, ellipsoid_hit, polyhedron_hit
from densegt.simulate.simple import solids
from densegt.simulate.simple.ground import make_ground
from densegt.simulate.simple.materials import Material

from ..twins import twin_of

Array = NDArray[np.float64]
GREY = (0.5, 0.5, 0.5)


def rays(rng: np.random.Generator, count: int, reach: float) -> tuple[Array, Array]:
    """Rays from outside that mostly aim at the origin's surroundings."""
    start = rng.normal(size=(count, 3))
    start *= 2.5 * reach / np.linalg.norm(start, axis=1, keepdims=True)
    way = rng.uniform(-0.9, 0.9, (count, 3)) * reach - start
    return start, way / np.linalg.norm(way, axis=1, keepdims=True)


def solid_of(name: str, rng: np.random.Generator) -> solids.Solid:
    ends = rng.uniform(-0.7, 0.7, (2, 3))
    if name == "polyhedron":
        return solids.polyhedron(rng.uniform(-1, 1, (12, 3)), Material.PAINT, GREY)
    if name == "ellipsoid":
        return solids.ellipsoid(rng.uniform(-0.2, 0.2, 3), rng.uniform(0.4, 1, 3), Material.PAINT, GREY)
    if name == "building":
        return solids.building((3.5, 2.5, 2.6), pitch_m=0.8, storey_m=0.8, window=(0.4, 0.4, 0.15, 0.2), colour=GREY)
    return getattr(solids, name)(ends[0], ends[1], 0.3, Material.PAINT, GREY)


HITS = [polyhedron_hit, ellipsoid_hit, capsule_hit, cylinder_hit, building_hit]


@pytest.mark.parametrize("kernel", HITS, ids=lambda kernel: kernel.__name__)
def test_hits_equal_twin(kernel) -> None:
    rng, name = np.random.default_rng(3), kernel.__name__.removesuffix("_hit")
    solid = solid_of(name, rng)
    shape = (solid.planes, 0, len(solid.planes)) if name == "polyhedron" else (solid.param,)
    starts, ways = rays(rng, 200, 2.6 if name == "building" else 1.2)
    if name == "building":
        starts[:, 2] = np.abs(starts[:, 2])  # it has no floor
    met = different = 0
    for start, way in zip(starts, ways, strict=True):
        ray = Ray(*start, *way)
        got, wanted = np.array(kernel(ray, *shape)), np.array(twin_of(kernel)(ray, *shape))
        met += wanted[0] > 0
        # A sampled ray may miss a corner that it grazes; on an edge it has either normal.
        different += not np.allclose(got, wanted, atol=2e-3)
    assert met > 20
    assert different <= 6


def test_a_ray_along_a_capsules_axis_meets_the_cap_it_comes_from() -> None:
    capsule = np.array([0, 0, -1, 0, 0, 1, 0.25, 0, 0.0])
    for sign in (-1.0, 1.0):
        ray = Ray(0.0, 0.0, -sign * 5.0, 0.0, 0.0, sign)
        np.testing.assert_allclose(capsule_hit(ray, capsule), [3.75, 0, 0, -sign])


def test_a_solid_can_be_moved() -> None:
    solid = solid_of("polyhedron", np.random.default_rng(5))
    moved = solid.moved([1.0, 2.0, 3.0])
    hit = polyhedron_hit(Ray(1.0, 2.0, 10.0, 0.0, 0.0, -1.0), moved.planes, 0, len(moved.planes))
    at_home = polyhedron_hit(Ray(0.0, 0.0, 7.0, 0.0, 0.0, -1.0), solid.planes, 0, len(solid.planes))
    np.testing.assert_allclose(hit, at_home, atol=1e-12)


def test_ground_hits_equal_twin() -> None:
    rng = np.random.default_rng(11)
    ground = make_ground(rng)
    grazed = 0
    for _ in range(120):
        x = rng.uniform(-20, 20)
        start = np.array([x, ground.centre(np.array([x]))[0] + rng.uniform(-4, 4), 0.0])
        start[2] = ground.height(start[:2]) + 1.7
        turn, down = rng.uniform(-np.pi, np.pi), -rng.uniform(0.02, 0.5)
        way = np.array([np.cos(turn) * np.cos(down), np.sin(turn) * np.cos(down), np.sin(down)])
        ray = Ray(*start, *way)
        found, expected = ground_hit(ray, ground.vector, 120.0), twin_of(ground_hit)(ray, ground.vector, 120.0)
        if (found < 0) != (expected < 0) or abs(found - expected) > 0.02:
            grazed += 1  # a kerb's edge, cut by less than a step
        elif found > 0:
            point = start + found * way
            assert point[2] == pytest.approx(ground.height(point[:2]), abs=1e-4)
    assert grazed <= 4


def test_the_ground_never_comes_nearer_faster_than_stated() -> None:
    """What the ray's steps rest on."""
    rng, step = np.random.default_rng(1), 1e-4
    for seed in range(5):
        smooth = make_ground(np.random.default_rng(seed)).vector.copy()
        smooth[6] = 0.0
        for _ in range(40):
            xy, way = rng.uniform(-100, 100, (500, 2)), rng.normal(size=3) * [1, 1, 0.1]
            way /= np.linalg.norm(way)
            before, after = np.empty(500), np.empty(500)
            heights(xy, smooth, 0.03, before)
            heights(xy + step * way[:2], smooth, 0.03, after)
            assert ((after - before) / step - way[2]).max() <= closing_rate(*way, smooth) + 1e-5
