"""Fixtures for every folder of tests."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# Side by side, test processes would fight for the cores. Before numpy and torch are imported; processes started by
# tests inherit it.
if "PYTEST_XDIST_WORKER" in os.environ:
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    os.environ.setdefault("OPENCV_FOR_THREADS_NUM", "1")

# Benchmarks are run as modules from the checkout. Behind all else, so that what is installed is what is tested.
sys.path.append(str(Path(__file__).parents[1]))

# Machines differ in speed, so no deadline; the same examples every time, so that a red run stays red.
settings.register_profile("densegt", deadline=None, derandomize=True)
settings.load_profile("densegt")

# Real recordings in nuScenes format, kept beside a checkout and not part of it; their tests skip where they are not.
RECORDINGS = Path(__file__).parents[2] / "shared" / "data"


def pytest_addoption(parser: pytest.Parser) -> None:
    """`make exhaustive`."""
    parser.addoption("--exhaustive", action="store_true", help="also run further cases like those that are run always")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Files with the most slow tests first, so that no test process is left with a long one at the end."""
    if not config.getoption("--exhaustive"):
        further = [item for item in items if item.get_closest_marker("exhaustive")]
        config.hook.pytest_deselected(items=further)
        items[:] = [item for item in items if not item.get_closest_marker("exhaustive")]
    slow = Counter(item.path for item in items if item.get_closest_marker("slow") or item.path.suffix == ".ipynb")
    items.sort(key=lambda item: -slow[item.path])


MadeOnce = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> MadeOnce:
    """Makes a folder by name unless another test process has made it; to read, not to write to."""
    common = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        common = common.parent

    def make_once(name: str, make: Callable[[Path], object]) -> Path:
        folder, done = common / name, common / f"{name}.done"
        with (common / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                make(folder)
                done.touch()
        return folder

    return make_once


@pytest.fixture(scope="module")
def one_ray_at_a_time(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No other test process has a Ray cluster meanwhile: whoever names no address would find it."""
    common = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        common = common.parent
    with (common / "ray.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def tiny_dataset(made_once: MadeOnce) -> Path:
    """A simulated dataset to read, not to write to: 1 scene of 1.5 s, six cameras of 160x90 px, exact depth."""

    def make(folder: Path) -> None:
        from densegt.simulate.config import SimulateConfig
        from densegt.simulate.run import simulate

        simulate(SimulateConfig(scenes=1, seconds=1.5, width_px=160, height_px=90, seed=7), folder)

    return made_once("tiny-dataset", make)


@pytest.fixture(scope="session")
def short_world(made_once: MadeOnce) -> Path:
    """As the tiny dataset, but half a second: for what takes long with many sweeps."""

    def make(folder: Path) -> None:
        from densegt.simulate.config import SimulateConfig
        from densegt.simulate.run import simulate

        simulate(SimulateConfig(scenes=1, seconds=0.5, width_px=160, height_px=90, seed=7), folder)

    return made_once("short-world", make)


@pytest.fixture(scope="session")
def whole_line(made_once: MadeOnce) -> Path:
    """A folder with `world` (1 scene of 0.5 s, six cameras of 96x54 px), its `depth`, and that `completed`; to read."""

    def make(folder: Path) -> None:
        data = ["--dataroot", str(folder / "world")]
        shortest = ["--scenes", "1", "--seconds", "0.5", "--image-size", "96x54"]
        densegt_does(
            ["simulate", "--street", "simple", "--out", str(folder / "world"), *shortest],
            ["accumulate", *data, "--out", str(folder / "depth")],
            ["complete", *data, "--depth", str(folder / "depth"), "--out", str(folder / "completed")],
        )

    return made_once("whole-line", make)


def densegt_does(*lines: list[str]) -> str:
    """What the last of some commands says; they run in this process."""
    from click.testing import CliRunner
    from densegt.cli.main import group

    for arguments in lines:
        done = CliRunner().invoke(group, arguments, standalone_mode=False, catch_exceptions=False)
        assert not done.return_value, done.output
    return done.output


@pytest.fixture(scope="session", autouse=True)
def one_scene_at_a_time_in_this_process() -> Iterator[None]:
    """Commands start a process for scenes even where they work on one at a time, which costs seconds of importing.

    Not so in tests, unless they start the command itself in a process, ask for several workers or set a time limit.
    """
    from densegt.cli.batch_options import BatchOptions

    from densegt.batch.executor import Executor, Local, Serial

    honest = BatchOptions.open_executor

    def open_executor(options: BatchOptions, *, task_bytes: int | None = None) -> Executor:
        executor = honest(options, task_bytes=task_bytes)
        alone = isinstance(executor, Local) and executor.workers == 1 and executor.timeout_s is None
        return Serial() if alone else executor

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BatchOptions, "open_executor", open_executor)
        yield


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
