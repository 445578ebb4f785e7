"""Three published facts of single beams, on worlds in closed form."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("open3d", exc_type=ImportError)

from densegt.simulate.meshes.material import Material
from densegt.simulate.meshes.mesh import Mesh, join, with_semantic
from densegt.simulate.meshes.primitives import box
from densegt.simulate.meshes.semantic import Semantic
from densegt.simulate.motion import Motion
from densegt.simulate.ranges import read_ranges
from densegt.simulate.sensors.casting import Caster
from densegt.simulate.sensors.echoes import Echoes, Flag, strongest_return
from densegt.simulate.sensors.lidar import Faults, Turn, spin
from densegt.simulate.sensors.lidar_model import SPECS, LidarSpec
from densegt.simulate.street.terrain import make_terrain
from densegt.simulate.weather import draw_weather
from densegt.simulate.world import World, assemble

GREY = (0.3, 0.3, 0.3)


def still() -> Motion:
    from scipy.interpolate import CubicSpline

    return Motion(CubicSpline([-1e3, 1e3], np.zeros((2, 7)), axis=0))


def _world(mesh: Mesh) -> World:
    rng = np.random.default_rng(0)
    ranges = read_ranges("city-small")
    return assemble(make_terrain(rng, ranges, 10.0), still(), mesh, [], np.eye(4), draw_weather(rng, ranges))


def _turn(mesh: Mesh, spec: LidarSpec, seed: int = 0) -> Turn:
    """A turn of a lidar without faults that stands at the origin."""
    nothing = Faults(*np.zeros((2, spec.beams)), np.ones(spec.beams), np.zeros(spec.beams), 0.0)
    none = Caster(join([]), 0)
    return spin(_world(mesh), np.eye(4), replace(spec, noise_m=0.0), nothing, none, 0.0, np.random.default_rng(seed))


def _wall(x: float, material: Material = Material.PLASTER, *, y: float = 0.0, width: float = 60.0) -> Mesh:
    return with_semantic(box((x + 0.05, y, 0), (0.1, width, 60.0), material, GREY), Semantic.BUILDING)


@pytest.fixture(scope="module")
def dense() -> LidarSpec:
    """Beams 0.2 degrees apart, strong enough that none is lost."""
    return replace(
        SPECS["os1-128"], elevations_rad=np.deg2rad(np.linspace(-12, 12, 128)), reach_m=500.0, maximum_m=200.0
    )


def test_points_on_a_target_fall_with_the_square_of_its_range(dense: LidarSpec) -> None:
    counts = []
    for far in (8.0, 16.0, 32.0):
        mesh = box((far, 0, 0), (0.1, 2.0, 2.0), Material.PLASTER, GREY)
        counts.append(np.isfinite(_turn(mesh, dense).returns.range_m).sum())
    assert counts[0] / counts[1] == pytest.approx(4.0, rel=0.12)
    assert counts[1] / counts[2] == pytest.approx(4.0, rel=0.2)


def test_mixed_pixels_lie_between_the_two_surfaces_of_an_edge(dense: LidarSpec) -> None:
    """A board 0.4 m before a wall: only at its edges are there returns from neither, and all lie between."""
    board = box((9.65, 0, 0), (0.1, 2.0, 2.0), Material.PLASTER, GREY)
    turn = _turn(join([_wall(10.0), board]), dense)
    mixed = turn.returns.flag == Flag.MIXED
    assert mixed.sum() > 20
    x = turn.xyz_lidar[mixed, 0]
    assert (x > 9.6).all()
    assert (x < 10.01).all()
    y, z = turn.xyz_lidar[mixed, 1], turn.xyz_lidar[mixed, 2]
    assert (np.minimum(np.abs(np.abs(y) - 1.0), np.abs(np.abs(z) - 1.0)) < 0.12).all()


def test_no_beam_mixes_surfaces_that_are_far_apart(dense: LidarSpec) -> None:
    board = box((5.0, 0, 0), (0.1, 2.0, 2.0), Material.PLASTER, GREY)
    turn = _turn(join([_wall(15.0), board]), dense)
    assert not (turn.returns.flag == Flag.MIXED).any()


def test_blooming_is_about_retroreflectors_only(dense: LidarSpec) -> None:
    flags = {}
    for material in (Material.RETRO, Material.PLASTER):
        plate = box((12.0, 0, 0), (0.05, 0.6, 0.6), material, GREY)
        turn = _turn(plate, replace(dense, reach_m=60.0))
        bloomed = turn.returns.flag == Flag.BLOOM
        flags[material] = int(bloomed.sum())
        ranges = turn.returns.range_m[bloomed]
        assert (np.abs(ranges - 12.0) < 0.3).all()
        assert (np.linalg.norm(turn.xyz_lidar[bloomed, 1:], axis=1) < 1.0).all()
    assert flags[Material.RETRO] > 10
    assert flags[Material.PLASTER] == 0


def test_what_is_dark_or_far_is_lost() -> None:
    spec = SPECS["hdl-32e"]
    seen = {
        (material, far): np.isfinite(_turn(_wall(far, material), spec).returns.range_m).sum()
        for material in (Material.PLASTER, Material.RUBBER)
        for far in (10.0, 60.0)
    }
    assert seen[Material.PLASTER, 10.0] > 1.0 * seen[Material.RUBBER, 10.0] > 0
    assert seen[Material.RUBBER, 60.0] < 0.1 * seen[Material.PLASTER, 60.0]


def test_a_beam_goes_through_glass_unless_it_meets_it_face_on() -> None:
    turn = _turn(join([_wall(10.0, Material.GLASS), _wall(14.0)]), SPECS["hdl-32e"])
    seen = (turn.returns.flag != Flag.NOTHING) & (turn.xyz_lidar[:, 0] > 1)
    through = seen & (turn.returns.flag == Flag.THROUGH_GLASS)
    assert through.sum() > 0.8 * seen.sum() > 1000
    np.testing.assert_allclose(turn.xyz_lidar[through, 0], 14.0, atol=0.1)
    pane = seen & (turn.returns.flag == Flag.CLEAN)
    np.testing.assert_allclose(turn.xyz_lidar[pane, 0], 10.0, atol=0.1)
    covered = pane & (np.abs(turn.xyz_lidar[:, 1]) < 20)  # the wall is behind these
    assert np.abs(turn.xyz_lidar[covered, 1:]).max() < 2.0


def _echoes(rows: list[list[tuple[float, float]]]) -> Echoes:
    ranges = np.array([[r for r, _ in row] for row in rows], dtype=np.float32)
    power = np.array([[p for _, p in row] for row in rows], dtype=np.float32)
    return Echoes(ranges, power, np.zeros(ranges.shape, np.uint8), np.zeros(ranges.shape, np.int64))


def test_the_strongest_group_of_echoes_is_returned(rng: np.random.Generator) -> None:
    """Against a loop over echoes, for random ones and for none."""
    table: NDArray[np.float64] = rng.uniform(5, 8, (200, 4))
    table[rng.random((200, 4)) < 0.2] = np.inf
    power = rng.uniform(0, 1, (200, 4))
    found = strongest_return(_echoes([list(zip(a, b, strict=True)) for a, b in zip(table, power, strict=True)]))
    for k in range(200):
        groups = []
        for r in table[k]:
            near = np.abs(table[k] - r) < 0.8 if np.isfinite(r) else np.zeros(4, bool)
            total = power[k][near].sum()
            groups.append((total, (power[k][near] * table[k][near]).sum() / total if total else np.inf))
        best = max(groups, key=lambda g: g[0])
        if best[0] == 0:
            assert not np.isfinite(found.range_m[k])
        else:
            assert found.range_m[k] == pytest.approx(best[1], abs=1e-3)
