"""The benchmark that kills runs sees what it must not overlook."""

import random
import subprocess
import sys

import pytest

from benchmarks.robustness import kill_and_resume as benchmark

# Benchmarks run whole, if small.
pytestmark = pytest.mark.slow


@pytest.fixture
def trial(tmp_path):
    """Without a run: the truth is two files."""
    trial = object.__new__(benchmark.Trial)
    trial.outcome, trial.chance = benchmark.Outcome(), random.Random(0)
    trial.truth = {"a.h5": b"aaaa", "b.h5": b"bbbb"}
    (tmp_path / "a.h5").write_bytes(b"aaaa")
    return trial


def test_right_so_far(trial, tmp_path):
    trial.compare(tmp_path / "not-there", complete=False)
    (tmp_path / ".b.h5.0123456789abcdef.partial").touch()
    trial.compare(tmp_path, complete=False)
    assert trial.outcome.good
    assert (trial.outcome.files_compared, trial.outcome.leftovers_seen) == (1, 1)


@pytest.mark.parametrize(
    ("name", "data", "complete"),
    [("b.h5", b"bbb", False), ("b.h5", b"bbbx", False), (".b.lock", b"", True), ("notes.txt", b"", True)],
    ids=["cut off", "other bytes", "left over", "missing"],
)
def test_wrong(trial, tmp_path, name, data, complete):
    if name == ".b.lock":
        (tmp_path / "b.h5").write_bytes(b"bbbb")
    (tmp_path / name).write_bytes(data)
    trial.compare(tmp_path, complete=complete)
    assert not trial.outcome.good
    assert len(trial.outcome.wrong) == 1


def test_what_runs_on_is_seen():
    code = "import subprocess, sys; subprocess.Popen(['sleep', '600']); print('started', flush=True)"
    leader = subprocess.Popen([sys.executable, "-c", code], start_new_session=True, stdout=subprocess.PIPE, text=True)
    assert leader.stdout.readline() == "started\n"
    leader.wait()
    (sleeper,) = benchmark.group(leader.pid)
    assert not benchmark.is_worker(sleeper)
    subprocess.run(["kill", "-9", str(sleeper)], check=True)
    leader.stdout.close()
