"""Nothing is lost: what is finished is known by its content, what is not is done by the same command again."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import pytest

from densegt.accumulation.job import ALGORITHM
from densegt.depth.store import SceneReader

from ..cases import mostly
from ..datasets.copies import change, rows_of, write_rows
from .folders import left_in, without_remarks

# Stops and starts the command, a dozen times.
pytestmark = pytest.mark.slow

Run = Callable[..., tuple[int, str, str]]
BOTH = ["first.h5", "second.h5"]


@pytest.fixture(scope="session")
def finished(two_scenes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished store of the two scenes. To read, not to write to."""
    out = tmp_path_factory.mktemp("finished") / "out"
    assert started(two_scenes, out).wait() == 0
    return out


@pytest.fixture
def store(finished: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    out = tmp_path / "out"
    out.mkdir()
    for name in BOTH:
        (out / name).write_bytes((finished / name).read_bytes())
    return out


def started(dataset: Path, out: Path, *options: object, **popen: Any) -> subprocess.Popen[str]:
    """The command in a process of its own, as from a terminal: Ctrl-C may be ignored where the tests run."""
    heard = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
    code = heard + "from densegt.cli.main import main\nif __name__ == '__main__': main()"
    words = [sys.executable, "-c", code, "accumulate", "--dataroot", dataset, "--out", out, *options]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(list(map(str, words)), **pipes, **popen)


def state(out: Path) -> dict[str, tuple[int, bytes]]:
    return {name: ((out / name).stat().st_mtime_ns, (out / name).read_bytes()) for name in left_in(out)}


def lines_of(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "run-summary.jsonl").read_text().splitlines()]


# --- what is finished ---


def test_what_is_finished_is_skipped(run: Run, two_scenes: Path, store: Path) -> None:
    before = state(store)
    code, stdout, stderr = run("--dataroot", two_scenes, "--out", store)
    assert (code, stderr) == (0, "")
    assert stdout.splitlines() == [f"{store / name}: finished before, skipped" for name in BOTH]
    assert state(store) == before


def test_only_what_is_missing_is_done(run: Run, two_scenes: Path, store: Path, finished: Path) -> None:
    (store / "second.h5").unlink()
    first = state(store)["first.h5"]
    code, stdout, _ = run("--dataroot", two_scenes, "--out", store)
    assert code == 0
    assert stdout.splitlines()[0] == f"{store / 'first.h5'}: finished before, skipped"
    assert "second.h5: 2 images" in stdout.splitlines()[1]
    assert state(store)["first.h5"] == first
    assert (store / "second.h5").read_bytes() == (finished / "second.h5").read_bytes()


def test_finished_is_finished_without_the_sweeps(run: Run, damaged: Path, store: Path) -> None:
    """Which may have been moved away to make room."""
    for row in rows_of(damaged, "sample_data"):
        (damaged / row["filename"]).unlink()
    code, stdout, stderr = run("--dataroot", damaged, "--out", store)
    assert code == 0, stderr
    assert stdout.count("finished before") == 2


def test_the_order_of_cameras_makes_no_other_configuration(run: Run, two_scenes: Path, tmp_path: Path) -> None:
    options = ("--dataroot", two_scenes, "--out", tmp_path / "out", "--scene", "first", "--camera", "CAM_FRONT")
    assert run(*options)[0] == 0
    code, stdout, _ = run(*options, "--camera", "CAM_FRONT")
    assert (code, stdout) == (0, f"{tmp_path / 'out' / 'first.h5'}: finished before, skipped\n")


def test_the_order_of_rows_makes_no_other_input(run: Run, damaged: Path, store: Path) -> None:
    for name in ("sample_annotation", "ego_pose", "calibrated_sensor", "instance"):
        write_rows(damaged, name, rows_of(damaged, name)[::-1])
    code, stdout, stderr = run("--dataroot", damaged, "--out", store)
    assert code == 0, stderr
    assert stdout.count("finished before") == 2


# --- what is something else: one line before any work, and nothing is touched ---


def refused(result: tuple[int, str, str], store: Path, before: object, *says: str) -> None:
    code, stdout, stderr = result
    assert (code, stdout) == (2, "")
    (line,) = stderr.splitlines()
    for words in (*says, "--overwrite", "another --out"):
        assert words in line
    assert state(store) == before


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--motion", "none"], "motion was auto, now none"),
        (["--no-surface"], "surface was True, now False"),
        (["--window", "1"], "window_s was None, now 1.0"),
        (["--camera", "CAM_FRONT"], "cameras was [], now ['CAM_FRONT']"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_other_options(run: Run, two_scenes: Path, store: Path, options: list[str], says: str) -> None:
    before = state(store)
    result = run("--dataroot", two_scenes, "--out", store, *options)
    refused(result, store, before, str(store / "first.h5"), says, "(2 such files)")


def other_pose(root: Path) -> None:
    used = {row["ego_pose_token"] for row in rows_of(root, "sample_data")}
    number = next(i for i, row in enumerate(rows_of(root, "ego_pose")) if row["token"] in used)
    x, y, z = rows_of(root, "ego_pose")[number]["translation"]
    change(root, "ego_pose", number, translation=[x + 1e-6, y, z])


def other_calibration(root: Path) -> None:
    used = {row["calibrated_sensor_token"] for row in rows_of(root, "sample_data")}
    for number, row in enumerate(rows_of(root, "calibrated_sensor")):
        if row["token"] in used:
            change(root, "calibrated_sensor", number, translation=[0.1, 0.2, 0.3])


def other_stamp(root: Path) -> None:
    change(root, "sample_data", 0, timestamp=rows_of(root, "sample_data")[0]["timestamp"] + 1)


def other_file(root: Path) -> None:
    change(root, "sample_data", 0, filename=rows_of(root, "sample_data")[1]["filename"])


def other_box(root: Path) -> None:
    change(root, "sample_annotation", 0, size=[1.0, 2.0, 3.0])


def a_sweep_less(root: Path) -> None:
    write_rows(root, "sample_data", [row for row in rows_of(root, "sample_data")][1:])


@pytest.mark.parametrize("alter", [other_pose, other_calibration, other_stamp, other_file, other_box, a_sweep_less])
def test_other_tables(run: Run, damaged: Path, store: Path, alter: Callable[[Path], None]) -> None:
    alter(damaged)
    before = state(store)
    result = run("--dataroot", damaged, "--out", store)
    refused(result, store, before, "not made from", str(damaged / "v1.0-mini"), "as it is now")


def foreign(path: Path) -> None:
    path.unlink()
    with h5py.File(path, "w") as file:
        file["data"] = [1, 2, 3]


def newer(path: Path) -> None:
    with h5py.File(path, "a") as file:
        file.attrs["format_version"] = 99


def unsigned(path: Path) -> None:
    with h5py.File(path, "a") as file:
        del file.attrs["input"], file.attrs["text_crc32"]


def older(path: Path) -> None:
    with h5py.File(path, "a") as file:
        file.attrs["config"] = json.dumps({**json.loads(file.attrs["config"]), "algorithm": ALGORITHM - 1})
        del file.attrs["text_crc32"]


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda path: path.write_bytes(b""), "not a readable HDF5 file"),
        (lambda path: path.write_bytes(b"precious"), "not a readable HDF5 file"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), "not a readable HDF5 file"),
        (lambda path: path.write_bytes(bytes(path.stat().st_size)), "not a readable HDF5 file"),
        (foreign, "not a depth store"),
        (newer, "99"),
        (unsigned, "does not say what it was made from"),
        (older, f"another algorithm ({ALGORITHM - 1}, now {ALGORITHM})"),
    ],
    ids=["empty", "garbage", "cut off", "zeros", "foreign", "newer", "unsigned", "older"],
)
def test_not_a_whole_depth_store(
    run: Run, two_scenes: Path, store: Path, spoil: Callable[[Path], object], says: str
) -> None:
    spoil(store / "second.h5")
    before = state(store)
    result = run("--dataroot", two_scenes, "--out", store)
    refused(result, store, before, str(store / "second.h5"), says)
    code, stdout, _ = run("--dataroot", two_scenes, "--out", store, "--overwrite", "--scene", "second")
    assert code == 0
    assert "skipped" not in stdout
    assert len(SceneReader(store / "second.h5")) == 2


@pytest.mark.parametrize("out", ["/proc/depth", "a-file/depth"])
def test_a_folder_that_cannot_be_written_to(run: Run, two_scenes: Path, tmp_path: Path, out: str) -> None:
    (tmp_path / "a-file").touch()
    code, stdout, stderr = run("--dataroot", two_scenes, "--out", tmp_path / out)
    assert (code, stdout) == (2, "")
    (line,) = stderr.splitlines()
    assert "nothing can be written there" in line
    assert out in line


# --- interrupted runs ---


def wait_for_work(out: Path) -> None:
    """Until a scene is being written."""
    until = time.monotonic() + 60
    while not any(path.name.endswith(".partial") for path in (out.iterdir() if out.exists() else ())):
        assert time.monotonic() < until
        time.sleep(0.005)


CTRL_C, TERM = (signal.SIGINT, 130), (signal.SIGTERM, 143)


@pytest.mark.parametrize(
    ("options", "number", "code"),
    mostly(
        [
            pytest.param(["--workers", 2], *CTRL_C, id="ctrl-c-2"),
            pytest.param(["--scene", "first"], *TERM, id="term-one"),
            pytest.param(["--workers", 1], *CTRL_C, id="ctrl-c-1"),
            pytest.param(["--workers", 2], *TERM, id="term-2"),
        ],
        keep=2,
    ),
)
def test_stopped_in_order_and_resumed(
    run: Run, two_scenes: Path, finished: Path, tmp_path: Path, options: list[object], number: int, code: int
) -> None:
    out = tmp_path / "out"
    process = started(two_scenes, out, *options, start_new_session=True)
    wait_for_work(out)
    # Ctrl-C goes to all processes of a terminal, SIGTERM to the one that it is sent to.
    os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
    began = time.monotonic()
    stdout, stderr = process.communicate(timeout=30)
    assert time.monotonic() - began < 10
    assert process.returncode == code, stderr
    assert stdout == ""
    (line,) = without_remarks(stderr)
    assert line.startswith("densegt: interrupted; ")
    assert "the same command does the rest" in line
    assert [name for name in left_in(out) if name not in BOTH] == []
    assert run("--dataroot", two_scenes, "--out", out, *options)[0] == 0
    for name in left_in(out):
        assert (out / name).read_bytes() == (finished / name).read_bytes()


def test_killed_and_resumed(run: Run, two_scenes: Path, finished: Path, tmp_path: Path) -> None:
    """See benchmarks/robustness/kill_and_resume.py for a hundred of these."""
    out = tmp_path / "out"
    process = started(two_scenes, out, "--workers", 2)
    wait_for_work(out)
    process.kill()
    process.communicate()
    assert any(name.endswith(".partial") for name in left_in(out))
    code, _, stderr = run("--dataroot", two_scenes, "--out", out)
    assert without_remarks(stderr) == []
    assert code == 0
    assert left_in(out) == BOTH
    for name in BOTH:
        assert (out / name).read_bytes() == (finished / name).read_bytes()


def test_a_full_disk_and_then_room(run: Run, two_scenes: Path, finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    size = (finished / "first.h5").stat().st_size
    few = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, size // 2))}
    full = started(two_scenes, out, "--workers", 2, **few)
    _, stderr = full.communicate()
    assert full.returncode == 1
    lines = without_remarks(stderr)
    assert lines[0] == f"densegt: first failed: {out / 'first.h5'}: File too large"
    assert len(lines) == 3
    assert left_in(out) == []
    assert run("--dataroot", two_scenes, "--out", out)[0] == 0
    assert (out / "first.h5").read_bytes() == (finished / "first.h5").read_bytes()


# --- two runs, one folder ---


def test_two_runs_on_one_folder(two_scenes: Path, finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    runs = [started(two_scenes, out), started(two_scenes, out, "--workers", 2)]
    for process in runs:
        _, stderr = process.communicate(timeout=120)
        assert process.returncode == 0, stderr
        lines = [line for line in without_remarks(stderr) if "keyframes/s" not in line]
        assert all("another run works on it; waiting" in line for line in lines), stderr
    assert left_in(out) == BOTH
    for name in BOTH:
        assert (out / name).read_bytes() == (finished / name).read_bytes()
    made = [line["scene"] for line in lines_of(out) if line.get("status") == "done"]
    assert sorted(made) == ["first", "second"], "each scene is made once"
    assert len({line["run"] for line in lines_of(out)}) == 2


# --- the summary ---


def test_the_summary(run: Run, damaged: Path, tmp_path: Path) -> None:
    out, summary = tmp_path / "out", tmp_path / "logs" / "my.jsonl"
    options = ("--dataroot", damaged, "--out", out, "--summary", summary)
    assert run(*options, "--scene", "first")[0] == 0
    for row in rows_of(damaged, "sample_data"):
        if "LIDAR" in row["filename"] and row["sample_token"] in second_samples(damaged):
            (damaged / row["filename"]).unlink()
    assert run(*options)[0] == 1
    assert not (out / "run-summary.jsonl").exists()
    lines = [json.loads(line) for line in summary.read_text().splitlines()]
    assert [(line.get("scene"), line.get("status")) for line in lines] == [
        ("first", "done"), (None, None), ("first", "skipped"), ("second", "failed"), (None, None)
    ]  # fmt: skip
    done, end, _, failed, last = lines
    assert (done["images"], done["keyframes"], done["sweeps"]) == (2, 2, 2)
    sweeps = [row["filename"] for row in rows_of(damaged, "sample_data") if "LIDAR" in row["filename"]]
    there = [path for path in (damaged / name for name in sweeps) if path.exists()]
    assert done["points"] == sum(path.stat().st_size // 20 for path in there)
    assert done["bytes"] == (out / "first.h5").stat().st_size
    assert set(done["seconds"]) == {"gather", "render", "write"}
    assert all(seconds >= 0 for seconds in done["seconds"].values())
    assert done["coverage"] == pytest.approx(coverage_of(out / "first.h5"), abs=1e-6)
    assert done["error"] is None
    assert "sample" in failed["error"] or "LIDAR" in failed["error"]
    assert failed["by_input"]
    assert (end["ended"], end["scenes"]) == ("finished", {"done": 1, "skipped": 0, "failed": 0})
    assert last["scenes"] == {"done": 0, "skipped": 1, "failed": 1}
    assert last["config"]["accumulate"]["motion"] == "auto"
    assert done["run"] == end["run"] != failed["run"] == last["run"]


def second_samples(root: Path) -> set[str]:
    return {row["token"] for row in rows_of(root, "sample") if row["scene_token"] == "second"}


def coverage_of(path: Path) -> float:
    shares = [float((record.depth_m > 0).mean()) for record in SceneReader(path)]
    return sum(shares) / len(shares)


def test_a_summary_that_cannot_be_written_stops_nothing(run: Run, two_scenes: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, _, stderr = run("--dataroot", two_scenes, "--out", out, "--scene", "first", "--summary", "/proc/x/y.jsonl")
    assert code == 0
    (line,) = without_remarks(stderr)
    assert "/proc/x/y.jsonl" in line
    assert left_in(out) == ["first.h5"]
