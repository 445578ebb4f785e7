"""Same seed, same bytes; other seed, other world; nothing half-written."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from densegt.errors import InputError
from densegt.simulate.config import SimulateConfig
from densegt.simulate.run import simulate, splits
from densegt.simulate.simple.world import make_world

from ..cases import mostly

# Whole scenes are simulated, read or rendered.
pytestmark = pytest.mark.slow

TINY = SimulateConfig(scenes=2, seconds=0.5, width_px=64, height_px=36, seed=3)


def _digest(folder: Path) -> dict[str, str]:
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture(scope="module")
def one_by_one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "a"
    simulate(TINY, folder, workers=1)
    return folder


# Simulates several times.
@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_with_any_number_of_workers(one_by_one: Path, tmp_path: Path) -> None:
    done = []
    simulate(TINY, tmp_path / "b", lambda n, total: done.append((n, total)), workers=2)
    assert _digest(one_by_one) == _digest(tmp_path / "b")
    assert done[-1] == (22, 22)


def test_another_seed_and_another_scene_are_other_worlds() -> None:
    worlds = [
        make_world(SimulateConfig(seed=seed, seconds=0.5), index).ground.vector
        for seed, index in ((0, 0), (0, 1), (1, 0))
    ]
    for a in range(3):
        for b in range(a):
            assert not np.allclose(worlds[a], worlds[b])


def test_movers_do_not_touch() -> None:
    from densegt.simulate.clearance import clearance, footprint

    world = make_world(SimulateConfig(seconds=4.0, unlabelled=4), 5)
    times = np.linspace(0, 4, 30)
    prints = [footprint(t.body, t.motion, times) for t in world.things]
    assert sum(not t.labelled for t in world.things) == 4
    for i, a in enumerate(prints):
        for j in range(i):
            if world.things[i].moving or world.things[j].moving:
                assert clearance(a, prints[j]) > 0


def test_boxes_bound_bodies_tightly() -> None:
    """Over time, every solid's bounds stay in the box, and touch it."""
    world = make_world(SimulateConfig(seconds=1.0), 2)
    for thing in world.things:
        half = thing.body.size_lwh_m / 2
        low = np.min([s.low for s in thing.body.solids], axis=0) - thing.body.middle
        high = np.max([s.high for s in thing.body.solids], axis=0) - thing.body.middle
        assert (low >= -half - 1e-9).all()
        assert (high <= half + 1e-9).all()
        if not thing.body.limbs:
            np.testing.assert_allclose([-low, high], [half, half], atol=1e-9)


def test_a_used_folder_is_kept(one_by_one: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(InputError, match="not empty"):
        simulate(TINY, tmp_path)
    with pytest.raises(InputError, match="not written by"):
        simulate(TINY, tmp_path, overwrite=True)
    with pytest.raises(InputError, match="not empty"):
        simulate(TINY, one_by_one)
    assert (tmp_path / "mine.txt").read_text() == "keep"


# Simulates several times.
@pytest.mark.slow
def test_a_failure_shows_nothing_and_the_same_command_goes_on(
    one_by_one: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from densegt.simulate import pool

    record, recorded = pool.record_scene, []

    def fail_at_the_second(street, config, index, folder, tick):  # type: ignore[no-untyped-def]
        if index == 1 and not recorded[1:]:
            recorded.append(index)
            raise RuntimeError("full disk")
        recorded.append(index)
        return record(street, config, index, folder, tick)

    monkeypatch.setattr(pool, "record_scene", fail_at_the_second)
    with pytest.raises(RuntimeError, match="full disk"):
        simulate(TINY, tmp_path / "out", workers=1)
    assert not (tmp_path / "out").exists()
    simulate(TINY, tmp_path / "out", workers=1)
    assert recorded == [0, 1, 1]
    assert _digest(tmp_path / "out") == _digest(one_by_one)
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


_KILLED = """
import os, signal, sys
from pathlib import Path
from densegt.simulate.config import SimulateConfig
from densegt.simulate.run import simulate

def kill(done, total):
    if done > 23:  # two at once have 22 sweeps, so at least one scene is done
        os.kill(os.getpid(), int(sys.argv[2]))

if __name__ == "__main__":
    config = SimulateConfig(scenes=3, seconds=0.5, width_px=64, height_px=36, seed=3)
    simulate(config, Path(sys.argv[1]), kill, workers=2)
"""


# Simulates several times, in processes of its own.
@pytest.mark.slow
@pytest.mark.parametrize("how", mostly([signal.SIGKILL, signal.SIGINT], keep=1))
def test_a_killed_run_leaves_no_worker_behind_and_the_same_command_goes_on(
    one_by_one: Path, tmp_path: Path, how: signal.Signals
) -> None:
    script, out = tmp_path / "killed.py", tmp_path / "sim" / "out"
    script.write_text(_KILLED)
    ended = subprocess.run([sys.executable, str(script), str(out), str(int(how))], capture_output=True, check=False)
    assert ended.returncode != 0
    left = out.with_name(".out.simulating")
    time.sleep(1.0)
    before = _digest(left)
    time.sleep(1.5)
    assert _digest(left) == before
    done = {p: p.stat().st_mtime_ns for p in (left / "rows").glob("*.json")}
    assert done
    config = SimulateConfig(scenes=3, seconds=0.5, width_px=64, height_px=36, seed=3)
    marks = {p.name: (left / "exact" / f"{p.stem}.h5").stat().st_mtime_ns for p in done}
    simulate(config, out, workers=1)
    for name, mark in marks.items():
        assert (out / "exact" / name).with_suffix(".h5").stat().st_mtime_ns == mark
    assert [p.name for p in out.parent.iterdir()] == ["out"]
    whole = _digest(out)
    assert not [name for name in whole if "partial" in name]
    readings = {name: d for name, d in _digest(one_by_one).items() if name.startswith(("samples", "sweeps"))}
    assert readings.items() <= whole.items()


def test_what_another_simulation_left_is_not_used(tmp_path: Path) -> None:
    left = tmp_path / ".out.simulating"
    (left / "rows").mkdir(parents=True)
    (left / "job.json").write_text("another")
    (left / "rows" / "scene-0001.json").write_text("{}")
    simulate(SimulateConfig(scenes=1, seconds=0.5, width_px=16, height_px=16), tmp_path / "out", workers=1)
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_splits_hold_back_the_last_quarter() -> None:
    assert splits(SimulateConfig(scenes=2)) == {"train": ["scene-0001"], "val": ["scene-0002"]}
    assert len(splits(SimulateConfig(scenes=8))["val"]) == 2


def test_noise_moves_boxes_and_poses_by_about_as_much_as_asked() -> None:
    from densegt.simulate.writer.drift import make_drift

    rng = np.random.default_rng(0)
    shifts = [make_drift(rng, 0.2, 5.0).apply(np.eye(4), t)[:3, 3] for t in np.linspace(0, 5, 200)]
    assert 0.1 < np.std(np.array(shifts)[:, :2]) < 0.3
    assert np.array_equal(make_drift(rng, 0.0, 5.0).apply(np.eye(4), 1.0), np.eye(4))


@pytest.mark.parametrize("bad", [{"scenes": 0}, {"seconds": 0.1}, {"width_px": 3}, {"unlabelled": -1}])
def test_bad_configuration_is_refused(bad: dict[str, int]) -> None:
    with pytest.raises(InputError):
        SimulateConfig(**bad)
