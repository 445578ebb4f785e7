"""A city's dataset: same seed, same bytes; what it writes beside the points; ranges from files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("open3d", exc_type=ImportError)

from densegt.depth.store import SceneReader
from densegt.errors import InputError
from densegt.simulate.city import CityStreet
from densegt.simulate.clearance import circles, clearance
from densegt.simulate.config import SimulateConfig
from densegt.simulate.ranges import read_ranges
from densegt.simulate.run import simulate
from densegt.simulate.sensors.lidar_model import SPECS
from densegt.simulate.world import World

# Whole scenes are simulated, read or rendered.
pytestmark = pytest.mark.slow

TINY = SimulateConfig(scenes=2, seconds=0.5, width_px=64, height_px=36, seed=3)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("city") / "a"
    simulate(TINY, out, street=CityStreet("city-small"), workers=1)
    return out


def _digest(folder: Path) -> dict[str, str]:
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


# Simulates several times.
@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_with_any_number_of_workers(dataset: Path, tmp_path: Path) -> None:
    simulate(TINY, tmp_path / "b", street=CityStreet("city-small"), workers=2)
    assert _digest(dataset) == _digest(tmp_path / "b")


def test_every_point_has_its_truth_beside_it(dataset: Path) -> None:
    config = SceneReader(dataset / "exact" / "scene-0001.h5").config
    files = sorted((dataset / "exact" / "lidar" / "scene-0001").glob("*.npz"))
    assert len(files) == 11
    for file in files:
        (sweep,) = dataset.glob(f"s*/LIDAR_TOP/scene-0001__LIDAR_TOP__{file.stem}.pcd.bin")
        points = np.fromfile(sweep, dtype="<f4").reshape(-1, 5)
        exact = np.load(file)
        assert {len(exact[name]) for name in ("flag", "object_id", "semantic", "time_s")} == {len(points)}
        assert exact["object_id"].max() <= len(config["objects"])
        nothing = exact["flag"] == config["flags"]["nothing"]
        assert np.linalg.norm(points[nothing, :3], axis=1).max() < 3.0
        assert (points[nothing, 3] == 0).all()
        assert (exact["flag"] == config["flags"]["clean"]).mean() > 0.3


def test_nothing_that_moves_touches_anything_else(world: World) -> None:
    times = np.linspace(0, 0.5, 8)
    prints = [
        circles(t.motion.T_world_body(times), float(t.body.middle[0]), *map(float, t.size_lwh_m[:2]))
        for t in world.things
    ]
    for i, a in enumerate(prints):
        for j in range(i):
            pair = {world.things[i].category, world.things[j].category}
            if world.things[i].moving and "vehicle.trailer" not in pair:
                assert clearance(a, prints[j]) > 0


def test_boxes_hold_bodies_at_every_phase(world: World) -> None:
    for thing in world.things:
        for phase in (0.0, 1.0, 2.5, 4.0):
            vertices = thing.body.pose(phase).vertices
            assert (vertices >= thing.body.low - 0.02).all()
            assert (vertices <= thing.body.high + 0.02).all()


def test_bad_ranges_are_refused_by_name(tmp_path: Path) -> None:
    for text, message in (
        ("speed_of_light: 3", "speed_of_light"),
        ("hills_m: [3, 1]", "hills_m"),
        ("lidar: {kinect: 1}", "lidar"),
        ("- 1", "mapping"),
    ):
        file = tmp_path / "bad.yaml"
        file.write_text(text)
        with pytest.raises(InputError, match=message):
            read_ranges(str(file))
    with pytest.raises(InputError, match="no such"):
        read_ranges("nowhere")


# Simulates several times.
@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SPECS))
def test_every_lidar_turns(name: str, tmp_path: Path) -> None:
    file = tmp_path / "one.yaml"
    file.write_text(Path("configs/city-small.yaml").read_text() + f"\nlidar: {{{name}: 1}}\nrig: {{kitti: 1}}\n")
    config = SimulateConfig(scenes=1, seconds=0.5, width_px=64, height_px=36, seed=1)
    drive = CityStreet(str(file)).drive(config, 0, np.random.default_rng(0))
    returns = drive.spin(0.0, np.random.default_rng(0))
    assert len(returns.points) > 0.3 * SPECS[name].beams * SPECS[name].columns
    assert returns.points[:, 4].max() < SPECS[name].beams
    assert np.isfinite(returns.points).all()
