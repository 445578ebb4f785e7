"""A small city's world, and a camera in it."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("open3d", exc_type=ImportError)

from densegt.simulate.config import SimulateConfig
from densegt.simulate.meshes.mesh import Mesh
from densegt.simulate.movers.catalogue import car
from densegt.simulate.ranges import read_ranges
from densegt.simulate.sensors.camera import draw_film
from densegt.simulate.sensors.lidar_model import SPECS
from densegt.simulate.sensors.rigs import PLANS, make_rig
from densegt.simulate.world import World, make_world


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


@pytest.fixture(scope="session")
def world() -> World:
    return make_world(SimulateConfig(seconds=0.5, seed=3), read_ranges("city-small"), 0)


@pytest.fixture(scope="session")
def body_mesh() -> Mesh:
    return car(np.random.default_rng(1)).pose(0.0)


@pytest.fixture(scope="session")
def mount_and_film():  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(0)
    rig = make_rig(rng, PLANS["nuscenes"], SPECS["hdl-32e"], width_px=160, height_px=90)
    return rig.cameras[0], draw_film(rng, "sun")
