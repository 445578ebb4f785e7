"""Underpasses keep the sky off the road; puddles mirror, for cameras and lidars."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from densegt.simulate.meshes.material import Material
from densegt.simulate.meshes.mesh import join, with_semantic
from densegt.simulate.meshes.primitives import box, quads
from densegt.simulate.meshes.semantic import Semantic
from densegt.simulate.ranges import Ranges, read_ranges
from densegt.simulate.sensors.casting import Caster
from densegt.simulate.sensors.echoes import Flag
from densegt.simulate.sensors.lidar import Faults, Turn, spin
from densegt.simulate.sensors.lidar_model import SPECS
from densegt.simulate.sensors.markings import under_water
from densegt.simulate.street.terrain import Terrain, make_terrain
from densegt.simulate.weather import draw_weather
from densegt.simulate.world import assemble

from .test_beams import still


def _terrain(over: str) -> Terrain:
    ranges = read_ranges("city-small")
    ranges = Ranges("", ranges.intervals, {**ranges.choices, "over_the_road": {over: 1.0}})
    return make_terrain(np.random.default_rng(4), ranges, 40.0)


def test_no_deck_leaves_all_of_the_sky() -> None:
    assert _terrain("nothing").sky_seen(np.zeros((3, 3), dtype=np.float32)) == 1.0


@pytest.mark.parametrize("over", ["bridge", "underpass"])
def test_it_is_dark_under_a_deck_and_lighter_towards_its_ends(over: str) -> None:
    terrain = _terrain(over)
    assert terrain.deck is not None
    middle = (terrain.deck.begin_s + terrain.deck.end_s) / 2
    s = np.array([middle, terrain.deck.end_s, terrain.deck.end_s + 4.0, terrain.deck.end_s + 60.0])
    feet = [terrain.pose(float(k), 0.0)[:3, 3] + [0, 0, 0.5] for k in s]
    seen = terrain.sky_seen(np.array(feet, dtype=np.float32))
    assert (np.diff(seen) > 0).all()
    assert seen[0] < (0.3 if over == "underpass" else 0.65)
    assert seen[-1] > 0.98
    above = terrain.pose(float(middle), 0.0)[:3, 3] + [0, 0, terrain.deck.clearance + 1.5]
    assert terrain.sky_seen(np.array([above], dtype=np.float32))[0] == 1.0


def test_an_underpass_lies_lower_than_the_road_before_it() -> None:
    terrain = _terrain("underpass")
    flat = replace(terrain, deck=None)
    assert terrain.deck is not None
    assert flat.deck is None
    middle = (terrain.deck.begin_s + terrain.deck.end_s) / 2
    z = [
        terrain.heights_of(np.array([[s, 0.0]]), np.zeros((1, 2)), 0.03)[0] for s in (middle, terrain.deck.begin_s - 45)
    ]
    assert z[0] < z[1]


def _turn(puddles: float) -> Turn:
    """A wall on a flat road, seen from 1.8 m over it."""
    rng = np.random.default_rng(0)
    terrain = make_terrain(rng, read_ranges("city-small"), 10.0)
    corners = np.array([[[-40.0, -40, -1.8], [40, -40, -1.8], [40, 40, -1.8], [-40, 40, -1.8]]])
    road = with_semantic(quads(corners, Material.ASPHALT, (0.1, 0.1, 0.1), uv=corners[..., :2]), Semantic.ROAD)
    wall = with_semantic(box((25.0, 0, 2), (0.5, 40, 10), Material.PLASTER, (0.6, 0.6, 0.6)), Semantic.BUILDING)
    weather = replace(draw_weather(rng, read_ranges("city-small")), wet=0.0, puddles=puddles, drops_per_m=0.0)
    world = assemble(terrain, still(), join([road, wall]), [], np.eye(4), weather)
    spec = replace(SPECS["hdl-32e"], noise_m=0.0)
    nothing = Faults(*np.zeros((2, spec.beams)), np.ones(spec.beams), np.zeros(spec.beams), 0.0)
    return spin(world, np.eye(4), spec, nothing, Caster(join([]), 0), 0.0, np.random.default_rng(1))


def test_puddles_mirror_a_wall_below_the_ground_and_dry_roads_do_not() -> None:
    dry, wet = _turn(0.0), _turn(1.0)
    assert not (dry.returns.flag == Flag.MULTIPATH).any()
    mirrored = wet.xyz_lidar[wet.returns.flag == Flag.MULTIPATH]
    assert len(mirrored) > 20
    assert (mirrored[:, 2] < -1.8).all()
    np.testing.assert_allclose(mirrored[:, 0], 24.75, atol=0.4)  # the wall's own place, turned down
    lost = np.isfinite(dry.returns.range_m) & ~np.isfinite(wet.returns.range_m)
    assert lost.sum() > 20


def test_water_stands_at_the_kerb_most_and_not_on_dry_days() -> None:
    terrain = _terrain("nothing")
    s = np.linspace(0, 200, 4000, dtype=np.float32)
    at = {name: np.full_like(s, d) for name, d in (("kerb", terrain.section.half_width - 0.2), ("middle", 1.5))}
    share = {name: under_water(terrain, 0.8, s, d).mean() for name, d in at.items()}
    assert 0.5 > share["kerb"] > share["middle"] > 0
    assert not under_water(terrain, 0.0, s, at["kerb"]).any()
