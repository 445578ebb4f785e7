"""How many scenes fit into so much memory."""

import click
import pytest
from densegt.cli.main import group

from densegt.batch.memory import FIXED_BYTES, POINT_BYTES, largest_bytes, scene_bytes, workers_within
from densegt.datasets import open_recording
from densegt.errors import InputError
from densegt.simulate.config import SimulateConfig
from densegt.simulate.run import simulate

# Scenes of some size are accumulated, to weigh the process.
pytestmark = pytest.mark.slow


def test_the_need_grows_with_points_and_workers_with_memory():
    assert scene_bytes(0) == FIXED_BYTES
    assert scene_bytes(1000) - scene_bytes(0) == 1000 * POINT_BYTES
    assert [workers_within(memory, (100, "a"), 4) for memory in (100, 199, 200, 399, 4000)] == [1, 1, 2, 3, 4]
    with pytest.raises(InputError, match="scene-7 alone needs"):
        workers_within(99, (100, "scene-7"), 4)


def test_the_largest_scene_counts_and_what_does_not_fit_is_told_before_work(tmp_path):
    world, out = tmp_path / "world", tmp_path / "out"
    simulate(SimulateConfig(scenes=2, seconds=0.5, width_px=96, height_px=54, seed=3), world, workers=1)
    dataset = open_recording(world)
    points = {
        name: sum(len(dataset.scene(name).read_points(s).ring) for s in dataset.scene(name).sweeps)
        for name in dataset.scene_names
    }
    most = max(points, key=lambda name: points[name])
    assert largest_bytes(dataset, list(points))[0] == scene_bytes(points[most])
    arguments = ["accumulate", "--dataroot", str(world), "--out", str(out), "--memory"]
    with pytest.raises(InputError, match="alone needs about"):
        group.main([*arguments, "100MB"], standalone_mode=False)
    assert not out.exists()
    with pytest.raises(click.BadParameter, match="no size such as"):
        group.main([*arguments, "lots"], standalone_mode=False)
