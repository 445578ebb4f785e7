"""Casting against a slow, obvious twin; movers where they are at each ray's own time."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("open3d", exc_type=ImportError)

from densegt.geometry.se3 import inverse
from densegt.simulate.meshes.mesh import Mesh, moved
from densegt.simulate.sensors import beams
from densegt.simulate.sensors.beams import cast_rays
from densegt.simulate.sensors.bundles import Rays
from densegt.simulate.sensors.camera import expose
from densegt.simulate.sensors.casting import Caster
from densegt.simulate.world import World

# Whole scenes are simulated, read or rendered.
pytestmark = pytest.mark.slow

Float64 = NDArray[np.float64]


def first_triangle(vertices: Float64, triangles: NDArray[np.int64], origin: Float64, way: Float64) -> Float64:
    """Range (R,) at which each ray meets the first of all triangles, tried one by one in float64; inf = none."""
    best = np.full(len(way), np.inf)
    for a, b, c in vertices[triangles]:
        u, v = b - a, c - a
        p = np.cross(way, v)
        det = p @ u
        with np.errstate(divide="ignore", invalid="ignore"):
            s = origin - a
            x = (p * s).sum(axis=1) / det
            q = np.cross(s, u)
            y = (q * way).sum(axis=1) / det
            t = (q @ v) / det
        hit = (np.abs(det) > 1e-12) & (x >= 0) & (y >= 0) & (x + y <= 1) & (t > 1e-6)
        best = np.where(hit & (t < best), t, best)
    return best


def test_a_caster_agrees_with_every_triangle_tried_one_by_one(rng: np.random.Generator, body_mesh: Mesh) -> None:
    origin = np.array([6.0, 3.0, 1.4])
    target = rng.uniform([-2, -0.8, 0.1], [2, 0.8, 1.4], (300, 3))
    way = (target - origin) / np.linalg.norm(target - origin, axis=1, keepdims=True)
    expected = first_triangle(body_mesh.vertices, body_mesh.triangles, np.tile(origin, (300, 1)), way)
    found = Caster(body_mesh, 7).cast(np.tile(origin, (300, 1)).astype(np.float32), way.astype(np.float32))
    np.testing.assert_array_equal(np.isfinite(found.range_m), np.isfinite(expected))
    hit = np.isfinite(expected)
    assert hit.sum() > 200
    np.testing.assert_allclose(found.range_m[hit], expected[hit], atol=1e-3)
    assert found.triangle[hit].min() >= 7
    assert (found.triangle[~hit] == -1).all()


def test_rays_meet_movers_where_they_are_at_their_own_time(world: World, rng: np.random.Generator) -> None:
    """In the frame of each mover at the ray's time, its triangles give the same range."""
    checked = 0
    for mover in world.movers[:6]:
        times = np.array([0.0, 0.02, 0.05])
        T = mover.thing.motion.T_world_body(times)
        middle = T[:, :3, :3] @ mover.middle + T[:, :3, 3]
        moment = np.arange(3).repeat(40)
        origin = middle[moment] + [0.0, 0.0, 3.0] + rng.normal(0, 0.3, (120, 3))
        way = middle[moment] + rng.normal(0, 0.4, (120, 3)) - origin
        way /= np.linalg.norm(way, axis=1, keepdims=True)
        hits = cast_rays(world, Rays(origin.astype(np.float32), way.astype(np.float32), moment, times))
        mine = hits.triangle >= mover.first
        mine &= world.look.object_id[np.maximum(hits.triangle, 0)] == mover.index + 1
        T_body = inverse(T)[moment]
        phase = mover.thing.phase(0.02)
        mesh = mover.thing.body.pose(phase)
        o = np.einsum("rij,rj->ri", T_body[:, :3, :3], origin) + T_body[:, :3, 3]
        d = np.einsum("rij,rj->ri", T_body[:, :3, :3], way)
        expected = first_triangle(mesh.vertices, mesh.triangles, o, d)
        if mover.thing.body.rigid:
            np.testing.assert_allclose(hits.range_m[mine], expected[mine], atol=1e-3)
            checked += int(mine.sum())
    assert checked > 100


def test_no_mover_is_left_out_for_a_bundle_of_rays_that_meets_it(world: World, rng, monkeypatch) -> None:
    """Against trying every mover with every ray: beams in a row, and rays that point anywhere."""
    times = np.linspace(0.0, 0.05, 5)
    row = np.linspace(0, 2 * np.pi, 2000)
    ahead = np.column_stack([np.cos(row), np.sin(row), np.full_like(row, -0.06)])
    for way in (ahead, rng.normal(size=(2000, 3))):
        unit = (way / np.linalg.norm(way, axis=1, keepdims=True)).astype(np.float32)
        origin = np.tile(world.ego.state(np.zeros(1))[:, :3] + [0, 0, 1.8], (2000, 1)).astype(np.float32)
        rays = Rays(origin, unit, np.sort(rng.integers(0, 5, 2000)), times)
        found = cast_rays(world, rays)
        with monkeypatch.context() as patch:
            patch.setattr(beams, "may_meet", lambda bundles, *_: np.ones(len(bundles.axis), dtype=bool))
            expected = cast_rays(world, rays)
        np.testing.assert_array_equal(found.triangle, expected.triangle)
        np.testing.assert_array_equal(found.range_m, expected.range_m)
    assert (expected.triangle >= world.movers[0].first).any()


def test_exact_depth_and_ids_agree_with_triangles_tried_one_by_one(world: World, mount_and_film, rng) -> None:
    """On a sample of pixels of pictures, of the triangles of what they show."""
    mount, film = mount_and_film
    t = np.zeros(1)
    T = world.ego.T_world_body(t)[0] @ mount.T_ego_cam
    shot = expose(world, mount, film, 0.0, rng, width_px=160, height_px=90)
    checked = 0
    for k, thing in enumerate(world.things):
        pixels = np.argwhere((shot.object_id == k + 1) & thing.body.rigid)
        if len(pixels) == 0:
            continue
        mesh = moved(thing.body.pose(thing.phase(0.0)), thing.motion.T_world_body(t)[0])
        v, u = rng.permutation(pixels)[:60].T
        way = np.column_stack([(u - mount.K[0, 2]) / mount.K[0, 0], (v - mount.K[1, 2]) / mount.K[1, 1], 0 * u + 1.0])
        length = np.linalg.norm(way, axis=1)
        way = (way @ T[:3, :3].T) / length[:, None]
        found = first_triangle(mesh.vertices, mesh.triangles, np.tile(T[:3, 3], (len(u), 1)), way)
        same = np.isfinite(found)  # a ray in float32 may pass an outline on its other side
        assert same.sum() >= 0.9 * len(u) - 1
        off = np.abs(shot.depth_m[v, u][same] - (found / length)[same])
        assert np.mean(off < 1e-3) > 0.95
        checked += int((off < 1e-3).sum())
    assert checked > 50


def test_kind_class_and_depth_change_together(world: World, mount_and_film, rng) -> None:
    mount, film = mount_and_film
    shot = expose(world, mount, film, 0.0, rng, width_px=160, height_px=90)
    nothing = shot.depth_m == 0
    np.testing.assert_array_equal(nothing, shot.kind == 0)
    np.testing.assert_array_equal(nothing, shot.layers["semantic"] == 0)
    np.testing.assert_array_equal(nothing, shot.layers["normal"] == 0)
    assert (shot.object_id[nothing] == 0).all()
    for k, thing in enumerate(world.things):
        kinds = set(np.unique(shot.kind[shot.object_id == k + 1]).tolist())
        assert kinds <= ({5} if not thing.labelled else {3, 4, 6, 7})
