"""Executors on this machine: one item's failure is never another's, and nothing is left running."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from densegt.batch.executor import Failed, Local, Serial
from densegt.batch.executor.threads import cores, thread_limits

# Processes are started, and some must hang first.
pytestmark = pytest.mark.slow


@pytest.fixture
def works(monkeypatch):
    """The module of works; worker processes find it as they take over sys.path."""
    monkeypatch.syspath_prepend(Path(__file__).parent)
    import works

    return works


def is_alive(pid):
    """A zombie is not; nobody may have asked for its exit code."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(condition, seconds=30.0):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)


@pytest.mark.parametrize("executor", [Serial(), Local(1), Local(3)], ids=["serial", "one", "three"])
def test_every_item_has_its_result_and_is_heard(works, executor):
    heard = []
    results = dict(executor.run(works.double, range(5), lambda item, message: heard.append((item, message))))
    assert results == {n: 2 * n for n in range(5)}
    assert sorted(heard) == [(n, f"doubling {n}") for n in range(5)]


@pytest.mark.parametrize("executor", [Serial(), Local(2)], ids=["serial", "local"])
def test_nothing_to_do(works, executor):
    assert list(executor.run(works.double, [])) == []


@pytest.mark.parametrize("executor", [Serial(), Local(2)], ids=["serial", "local"])
@pytest.mark.parametrize(
    ("kind", "why", "by_input"),
    [
        ("input", "sweep.bin: 13 bytes left over", True),
        ("file", "/not/there.bin: No such file or directory", True),
        ("disk", "out/scene.h5: No space left on device", False),
        ("memory", "memory ran out; fewer --workers need less", False),
        ("bug", "ZeroDivisionError: two lines", False),
    ],
)
def test_what_fails_is_told_and_the_others_go_on(works, executor, kind, why, by_input):
    results = dict(executor.run(partial(works.fail_at, kind), range(4)))
    failed = results.pop(1)
    assert results == {0: 0, 2: 2, 3: 3}
    assert isinstance(failed, Failed)
    assert (failed.why, failed.by_input) == (why, by_input)
    assert (failed.traceback is not None) == (kind == "bug")
    assert "works.py" in (failed.traceback or "works.py")


@pytest.mark.parametrize(("how", "says"), [("kill", "killed"), ("exit", "exit code 3")])
def test_an_item_that_kills_its_process_twice_fails_and_costs_no_other_a_try(works, tmp_path, how, says):
    results = dict(Local(2).run(partial(works.die_at, how, True, tmp_path), range(5)))
    failed = results.pop(1)
    assert results == {n: n for n in (0, 2, 3, 4)}
    assert says in failed.why
    assert not failed.by_input
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0-0", "1-0", "1-1", "2-0", "3-0", "4-0"]


def test_a_process_that_is_lost_once_costs_a_second_try(works, tmp_path):
    results = dict(Local(2).run(partial(works.die_at, "kill", False, tmp_path), range(3)))
    assert results == {0: 0, 1: 1, 2: 2}


@pytest.mark.parametrize("work", ["wait_long", "hold_the_interpreter"])
def test_closing_ends_the_processes_within_seconds(works, tmp_path, work):
    """Even one that is deep in a kernel and hears nothing."""
    outcomes = Local(2).run(partial(getattr(works, work), tmp_path), range(2))

    def interrupted(number, frame):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupted)
    try:
        signal.setitimer(signal.ITIMER_REAL, 4)
        with pytest.raises(KeyboardInterrupt):
            next(outcomes)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    pids = [int(path.name) for path in tmp_path.iterdir()]
    assert len(pids) == 2
    assert not any(is_alive(pid) for pid in pids)


def test_the_processes_end_with_the_one_that_started_them(tmp_path):
    """Which is killed, and so can do nothing about it."""
    code = (
        "import sys\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from functools import partial\n"
        "import works\n"
        "from densegt.batch.executor import Local\n"
        f"if __name__ == '__main__': list(Local(2).run(partial(works.wait_long, {str(tmp_path)!r}), range(3)))\n"
    )
    script = tmp_path / "script.py"
    script.write_text(code)
    parent = subprocess.Popen([sys.executable, str(script)])

    def pids():
        return [int(path.name) for path in tmp_path.iterdir() if path.name.isdigit()]

    try:
        wait_for(lambda: len(pids()) == 2)
    finally:
        parent.kill()
        parent.wait()
    wait_for(lambda: not any(is_alive(pid) for pid in pids()), seconds=5)


@pytest.fixture
def no_limits(monkeypatch):
    for name in thread_limits(1):
        monkeypatch.delenv(name, raising=False)


def test_threads_are_shared_out(works, no_limits):
    found = list(dict(Local(2).run(works.threads, range(2))).values())
    share = max(1, cores() // 2)
    assert found == [(share, str(share), str(share))] * 2
    assert os.environ.get("OMP_NUM_THREADS") != str(share) or share == cores()


def test_a_user_may_ask_for_fewer_threads_but_not_for_more(monkeypatch, no_limits):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.setenv("MKL_NUM_THREADS", "64")
    monkeypatch.setenv("NUMBA_NUM_THREADS", "many")
    limits = thread_limits(8)
    assert limits["OMP_NUM_THREADS"] == "2"
    assert limits["MKL_NUM_THREADS"] == limits["NUMBA_NUM_THREADS"] == limits["OPENBLAS_NUM_THREADS"] == "8"


def test_ctrl_c_is_the_starting_processes_to_hear(works):
    """From the first process on: a new interpreter, where multiprocessing has started nothing yet."""
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "import signal, works\nfrom densegt.batch.executor import Local\n"
        "print(*[signal.SIGINT in set_ for set_ in dict(Local(2).run(works.blocked_signals, [0, 1])).values()])\n"
        "print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, set()))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True True\nFalse\n"


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("how", ["asleep", "in C"])
def test_an_item_that_hangs_is_ended_and_the_others_go_on(works, tmp_path, workers, how):
    results = dict(Local(workers, timeout_s=4.0).run(partial(works.hang_at, how, str(tmp_path)), range(4)))
    assert {n: results[n] for n in (0, 2, 3)} == {0: 0, 2: 2, 3: 3}
    assert results[1] == Failed("not done within 4 s, so its process was ended")
    (pid,) = (int(path.name.partition("-")[2]) for path in tmp_path.glob("1-*"))  # tried once
    assert not is_alive(pid)


def test_all_items_hang(works, tmp_path):
    results = dict(Local(2, timeout_s=3.0).run(partial(works.wait_long, str(tmp_path)), range(3)))
    assert all(isinstance(result, Failed) for result in results.values())
    assert len(results) == 3


def test_a_limit_that_nothing_reaches_changes_nothing(works):
    assert dict(Local(2, timeout_s=600.0).run(works.double, range(4))) == {n: 2 * n for n in range(4)}
