"""Exact depth where the answer is known in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.depth.kind import Kind
from densegt.geometry.camera import rays, unproject
from densegt.simulate.motion import standing
from densegt.simulate.simple import solids
from densegt.simulate.simple.cameras import Exposure, expose
from densegt.simulate.simple.furniture import Fixture
from densegt.simulate.simple.ground import flat_ground
from densegt.simulate.simple.materials import Material
from densegt.simulate.simple.rig import CameraMount, camera_pose
from densegt.simulate.simple.shadows import shadow_map
from densegt.simulate.simple.things import make_body, make_thing
from densegt.simulate.simple.world import World, assemble

WALL_M, HEIGHT_M, WIDTH_PX, HEIGHT_PX = 20.3, 1.5, 161, 91
K = np.array([[120.0, 0, 80.0], [0, 120.0, 45.0], [0, 0, 1]])


@pytest.fixture(scope="module")
def world() -> World:
    """A plane, a wall across the view, and a small box on the ground."""
    ground = flat_ground()
    ego = standing(np.zeros(2), 0.0, ground, wheelbase_m=2.7)
    wall = solids.box((WALL_M + 0.5, 0, 3), (1.0, 200.0, 6.1), Material.WALL, (0.5, 0.5, 0.5))
    crate = make_body("movable_object.barrier", [solids.box((0, 0, 0.5), (1, 1, 1), Material.PAINT, (1, 0, 0))])
    thing = make_thing(crate, standing(np.array([8.5, 0.0]), 0.0, ground, wheelbase_m=0.4), labelled=True, seconds=1.0)
    sun = np.array([0.0, 0.6, 0.8])
    return assemble(ground, ego, [Fixture(np.eye(4), (wall,))], [thing], np.eye(4), sun)


@pytest.fixture(scope="module")
def mount() -> CameraMount:
    return CameraMount("CAM_FRONT", K, camera_pose(0.0, 0.0, 0.0, np.array([0.0, 0.0, HEIGHT_M])), 0.0)


@pytest.fixture(scope="module")
def exposure(world: World, mount: CameraMount) -> Exposure:
    return expose(world, mount, shadow_map(world, 0.0), 0.0, width_px=WIDTH_PX, height_px=HEIGHT_PX)


def test_wall_ground_and_sky_in_closed_form(exposure: Exposure) -> None:
    down = rays(K, WIDTH_PX, HEIGHT_PX)[..., 1]
    to_ground = np.where(down > 0, HEIGHT_M / np.maximum(down, 1e-9), np.inf)
    expected = np.minimum(to_ground, WALL_M)
    expected[down < -(6.05 - HEIGHT_M) / WALL_M] = 0.0
    clear = exposure.object_id == 0
    np.testing.assert_allclose(exposure.depth_m[clear], expected[clear], atol=2e-4)
    kind = np.where(expected == 0, Kind.NONE, np.where(to_ground < WALL_M, Kind.GROUND, Kind.STRUCTURE))
    np.testing.assert_array_equal(exposure.kind[clear], kind[clear])


def test_an_object_stands_where_it_was_put(exposure: Exposure, mount: CameraMount) -> None:
    mine = exposure.object_id == 1
    assert (exposure.kind[mine] == Kind.STANDING).all()
    xyz_cam = unproject(K, exposure.depth_m)[mine]
    front = np.abs(xyz_cam[:, 2] - 8.0) < 1e-3
    assert front.mean() > 0.6
    assert xyz_cam[front][:, 0].min() == pytest.approx(-0.5, abs=8 / 120)
    assert xyz_cam[front][:, 0].max() == pytest.approx(0.5, abs=8 / 120)


def test_shadows_fall_away_from_the_sun(exposure: Exposure) -> None:
    """The sun is on the left (+y), so the ground right of the crate is darker than left of it."""
    u_left, u_right, v = 80 - round(120 * 0.8 / 8.5), 80 + round(120 * 0.8 / 8.5), 45 + round(120 * 1.49 / 8.5)
    assert exposure.rgb[v, u_right].mean() < 0.75 * exposure.rgb[v, u_left].mean()
