"""What moves while a shutter is open: smeared light, and rows read one after the other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from densegt.geometry.camera import project, rays
from densegt.geometry.se3 import apply, from_yaw, inverse
from densegt.simulate.drive import CameraMount
from densegt.simulate.motion import Motion
from densegt.simulate.sensors.camera import ROWS, expose
from densegt.simulate.sensors.motion_blur import COARSE, Picture, flow_px, smeared
from densegt.simulate.sensors.rigs import camera_pose
from densegt.simulate.sensors.shading import View, cast_view
from densegt.simulate.world import World

WIDTH, HEIGHT = 160, 90


def test_light_is_smeared_along_its_way_and_kept_in_sum(rng: np.random.Generator) -> None:
    light = np.zeros((40, 60, 3), dtype=np.float32)
    light[20, 30] = 9.0
    flow = np.zeros((10, 15, 2), dtype=np.float32)
    flow[..., 0] = 8.0
    out = smeared(light, flow)
    assert out.sum() == pytest.approx(light.sum(), rel=1e-3)
    assert np.flatnonzero(out[20, :, 0] > 0).min() == pytest.approx(26, abs=1)
    assert np.flatnonzero(out[20, :, 0] > 0).max() == pytest.approx(34, abs=1)
    assert out[21:].max() == 0
    assert smeared(light, np.full_like(flow, 0.2)) is light


def test_flow_is_what_the_cars_motion_makes_of_the_depth(world: World, mount_and_film) -> None:
    """Of what stands: against unprojecting with one pose and projecting with the other."""
    mount, _ = mount_and_film
    T = world.ego.T_world_body(np.zeros(1))[0] @ mount.T_ego_cam
    unit = rays(mount.K, WIDTH, HEIGHT).reshape(-1, 3)
    way = (unit / np.linalg.norm(unit, axis=1, keepdims=True) @ T[:3, :3].T).astype(np.float32)
    origin = np.broadcast_to(T[:3, 3].astype(np.float32), way.shape)
    hits = cast_view(View(world, world.moving(0.0), np.zeros((0, 3, 3), np.float32), 0.0, T), origin, way)
    flow = flow_px(world, Picture(mount, T, 0.0, HEIGHT, WIDTH), 0.1, origin, way, hits)
    assert flow.shape == (-(-HEIGHT // COARSE), WIDTH // COARSE, 2)
    standing = hits.triangle.reshape(HEIGHT, WIDTH)[::COARSE, ::COARSE] < world.movers[0].first
    standing &= hits.triangle.reshape(HEIGHT, WIDTH)[::COARSE, ::COARSE] >= 0
    v, u = (COARSE * k for k in np.nonzero(standing))
    speed = np.linalg.norm(np.diff(world.ego.state(np.array([-0.05, 0.05]))[:, :2], axis=0)) / 0.1
    radial = np.column_stack([u, v]) - mount.K[:2, 2]
    far = hits.range_m.reshape(HEIGHT, WIDTH)[v, u]
    expected = speed * 0.1 / np.maximum(far, 1.0)  # of the distance from where the car heads, nearly
    away = np.linalg.norm(radial, axis=1) > 25
    found = np.einsum("ki,ki->k", flow[standing], radial) / (radial**2).sum(axis=1)
    assert np.median(np.abs(found - expected)[away] / expected[away]) < 0.25


def test_a_movers_own_motion_counts_beside_the_cars(world: World, mount_and_film) -> None:
    """From cameras that stand beside movers: what shows them goes as their box does, what shows what stands stays."""
    checked = 0
    for mover in world.movers[:6]:
        T_body = mover.thing.motion.T_world_body(np.zeros(1))[0]
        K = np.array([[80.0, 0, 80], [0, 80.0, 45], [0, 0, 1]])
        looks = camera_pose(np.array([0.3, -0.1, 0.0]), np.array([-7.0, 0.0, 0.0]))
        beside = from_yaw(0.0, T_body[:3, 3] + [0, 0, 1.2]) @ looks
        still = replace(world, ego=_standing())
        mount = CameraMount("CAM", K, beside, 0.0)
        way = rays(K, WIDTH, HEIGHT).reshape(-1, 3) @ beside[:3, :3].T
        way = (way / np.linalg.norm(way, axis=1, keepdims=True)).astype(np.float32)
        origin = np.broadcast_to(beside[:3, 3].astype(np.float32), way.shape)
        hits = cast_view(View(world, world.moving(0.0), np.zeros((0, 3, 3), np.float32), 0.0, beside), origin, way)
        flow = flow_px(still, Picture(mount, beside, 0.0, HEIGHT, WIDTH), 0.1, origin, way, hits)
        owner = world.look.object_id[np.maximum(hits.triangle, 0)].reshape(HEIGHT, WIDTH)[::COARSE, ::COARSE]
        mine = owner == mover.index + 1
        movers = np.isin(owner, [m.index + 1 for m in world.movers])
        assert np.abs(flow[~movers]).max() < 1e-3
        now, *ends = mover.thing.T_world_box(np.array([0.0, -0.05, 0.05]))
        shown = (origin + hits.range_m[:, None] * way).reshape(HEIGHT, WIDTH, 3)[::COARSE, ::COARSE][mine]
        xyz_box = apply(inverse(now), shown.astype(np.float64))
        before, after = (project(K, apply(inverse(beside) @ T, xyz_box))[0] for T in ends)
        np.testing.assert_allclose(flow[mine], np.clip(after - before, -60, 60), atol=0.01)
        checked += bool(mine.sum() > 10 and np.abs(flow[mine]).max() > 0.5)
    assert checked >= 2


def _standing() -> Motion:
    return Motion(CubicSpline([-1e3, 1e3], np.zeros((2, 7)), axis=0))


def test_rows_of_a_rolling_shutter_show_their_own_time(world: World, mount_and_film, rng) -> None:
    mount, film = mount_and_film
    size = {"width_px": WIDTH, "height_px": HEIGHT}
    rolling = expose(world, mount, replace(film, readout_s=0.09), 0.0, rng, **size)
    for row in (1, 45, 85):
        block = row // ROWS
        t = 0.09 * ((block + 0.5) * ROWS / HEIGHT - 0.5)
        at_once = expose(world, mount, film, t, rng, **size)
        same = np.abs(rolling.depth_m[row] - at_once.depth_m[row]) < 0.02
        assert same.mean() > 0.97
    first = expose(world, mount, film, 0.0, rng, **size)
    assert (np.abs(rolling.depth_m[85] - first.depth_m[85]) > 0.002).mean() > 0.5
