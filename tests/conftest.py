"""Fixtures for every folder of tests."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# Benchmarks are run as modules from the checkout. Behind all else, so that what is installed is what is tested.
sys.path.append(str(Path(__file__).parents[1]))

# Machines differ in speed, so no deadline; the same examples every time, so that a red run stays red.
settings.register_profile("densegt", deadline=None, derandomize=True)
settings.load_profile("densegt")

# Real recordings in nuScenes format, kept beside a checkout and not part of it; their tests skip where they are not.
RECORDINGS = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def tiny_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated dataset to read, not to write to: 1 scene of 1.5 s, six cameras of 160x90 px, exact depth."""
    from densegt.simulate.config import SimulateConfig
    from densegt.simulate.run import simulate

    folder = tmp_path_factory.mktemp("tiny-dataset")
    simulate(SimulateConfig(scenes=1, seconds=1.5, width_px=160, height_px=90, seed=7), folder)
    return folder


@pytest.fixture(scope="session")
def whole_line(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `world` (1 scene of 0.5 s, six cameras of 96x54 px), its `depth`, and that `completed`; to read."""
    from click.testing import CliRunner
    from densegt.cli.main import group

    folder = tmp_path_factory.mktemp("whole-line")
    data = ["--dataroot", str(folder / "world")]
    for arguments in (
        ["simulate", "--out", str(folder / "world"), "--scenes", "1", "--seconds", "0.5", "--image-size", "96x54"],
        ["accumulate", *data, "--out", str(folder / "depth")],
        ["complete", *data, "--depth", str(folder / "depth"), "--out", str(folder / "completed")],
    ):
        done = CliRunner().invoke(group, arguments, standalone_mode=False, catch_exceptions=False)
        assert not done.return_value, done.output
    return folder


@pytest.fixture(scope="session")
def find_recording() -> Callable[[str], Path]:
    """Gives a real recording by name; skips the test where it is not on this machine."""

    def find(name: str) -> Path:
        if not (RECORDINGS / name).is_dir():
            pytest.skip(f"the real recording {name} is not on this machine")
        return RECORDINGS / name

    return find


@pytest.fixture(scope="session", params=["nuscenes-keyframe", "kitti-street"])
def recording(request: pytest.FixtureRequest, find_recording: Callable[[str], Path]) -> Path:
    """Each real recording in turn."""
    return find_recording(str(request.param))
