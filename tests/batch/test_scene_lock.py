"""One run at a time is at a scene's file, and what the dead leave behind is removed by the living."""

import errno
import fcntl
import subprocess
import sys
import time
from threading import Timer

import pytest

from densegt.batch.scene_lock import remove_leftovers, scene_lock
from densegt.depth.partial_file import partial_path


@pytest.fixture
def other_run(tmp_path):
    """Starts a process that holds the lock on scene `a`, writes part of a file, and says so; ended by the test."""
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom densegt.batch.scene_lock import scene_lock\n"
        "from densegt.depth.partial_file import partial_path\n"
        "folder = Path(sys.argv[1])\n"
        "with scene_lock(folder, 'a') as acquired:\n"
        "    assert acquired\n    partial_path(folder / 'a.h5').touch()\n    print('acquired', flush=True)\n"
        "    sys.stdin.readline()\n"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], **pipes)
    assert process.stdout.readline() == "acquired\n"
    yield process
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_one_run_at_a_scene(tmp_path, other_run):
    with scene_lock(tmp_path, "a") as acquired:
        assert not acquired
    with scene_lock(tmp_path, "b") as acquired:
        assert acquired
    assert any(name.endswith(".partial") for name in names(tmp_path)), "the other run still writes it"


def test_a_lock_ends_with_its_holder_and_its_leftovers_with_the_next_lock(tmp_path, other_run):
    other_run.kill()
    other_run.wait()
    assert len(names(tmp_path)) == 2
    with scene_lock(tmp_path, "a") as acquired:
        assert acquired
        assert names(tmp_path) == [".a.lock"]
    assert names(tmp_path) == []


def test_waiting_for_the_other_run(tmp_path, other_run, caplog):
    began = time.monotonic()
    Timer(0.7, other_run.stdin.close).start()
    with scene_lock(tmp_path, "a", wait=True) as acquired:
        assert acquired
    (said,) = caplog.messages
    assert said == f"{tmp_path / 'a.h5'}: another run works on it; waiting until it ends"
    assert other_run.wait(timeout=10) == 0
    assert time.monotonic() - began < 10
    assert [name for name in names(tmp_path) if name.endswith(".lock")] == []


def test_tidying_leaves_the_living_alone(tmp_path, other_run):
    before = names(tmp_path)
    remove_leftovers(tmp_path, ["a", "b"])
    assert names(tmp_path) == before
    other_run.kill()
    other_run.wait()
    remove_leftovers(tmp_path, ["b"])
    assert names(tmp_path) == before
    remove_leftovers(tmp_path, ["a"])
    assert names(tmp_path) == []
    remove_leftovers(tmp_path / "not-there", ["a"])


def test_only_this_scenes_leftovers_go(tmp_path):
    kept = [".a.h5.b.h5.0123456789abcdef.partial", ".b.h5.0123456789abcdef.partial", ".a.h5.7.partial", "a.h5", "notes"]
    for name in [*kept, ".a.h5.0123456789abcdef.partial"]:
        (tmp_path / name).touch()
    with scene_lock(tmp_path, "a"):
        assert names(tmp_path) == sorted([*kept, ".a.lock"])


def test_a_lock_removed_by_its_last_holder_is_taken_anew(tmp_path, monkeypatch):
    """Between opening and locking, the last holder has removed the file: a lock on it would bind nobody."""
    honest, taken = fcntl.flock, []

    def flock(descriptor, operation):
        honest(descriptor, operation)
        if not taken:
            (tmp_path / ".a.lock").unlink()
        taken.append(descriptor)

    monkeypatch.setattr(fcntl, "flock", flock)
    with scene_lock(tmp_path, "a") as acquired:
        assert acquired
        assert (tmp_path / ".a.lock").exists()
    assert len(taken) == 2


def test_without_locks_everybody_may_but_nothing_is_removed(tmp_path, monkeypatch):
    def flock(descriptor, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    partial = partial_path(tmp_path / "a.h5")
    partial.touch()
    with scene_lock(tmp_path, "a") as acquired, scene_lock(tmp_path, "a") as also_acquired:
        assert acquired
        assert also_acquired
        assert partial.exists()


def test_no_two_partial_names_are_the_same(tmp_path):
    assert len({partial_path(tmp_path / "a.h5") for _ in range(1000)}) == 1000
