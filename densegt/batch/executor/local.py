"""Worker processes on this machine. One that dies costs the item it had in hand a second try, and nothing else."""

from __future__ import annotations

import math
import os
import signal
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

from densegt.batch.executor.attempt import Failed, Item, Result, Work
from densegt.batch.executor.executor import OnMessage, ignore_message
from densegt.batch.executor.threads import cores, thread_limits
from densegt.batch.executor.worker import DONE, serve

_TRIES = 2
_GRACE_S = 1.0


class Local:
    """Several processes, each with its share of the cores.

    Own code, because the pools of the standard library do not say which item a lost process had in hand, and their
    processes outlive the one that started them when that is killed.

    Args:
        timeout_s: an item that takes longer is given up and its process ended.
    """

    def __init__(self, workers: int, timeout_s: float | None = None) -> None:
        self.workers, self.timeout_s = workers, timeout_s

    def run(
        self, work: Work[Item, Result], items: Sequence[Item], on_message: OnMessage = ignore_message
    ) -> Generator[tuple[Item, Result | Failed], None, None]:
        """Yield each item and its result as they are done; closing the generator ends the processes within seconds."""
        pool = _Pool(work, items, min(self.workers, len(items)), self.timeout_s)
        unfinished = len(items)
        try:
            while unfinished:
                for kind, number, what in pool.answers():
                    if kind == DONE:
                        unfinished -= 1
                        yield items[number], what
                    else:
                        on_message(items[number], what)
        finally:
            pool.stop()


@dataclass
class _Worker:
    process: SpawnProcess
    connection: Connection
    number: int | None = None  # of the item in hand
    deadline_s: float = math.inf  # of that item, by the monotonic clock


class _Pool:
    """Items that wait, and processes at work on others."""

    def __init__(self, work: Work[Any, Any], items: Sequence[Any], limit: int, timeout_s: float | None) -> None:
        self._work, self._items, self._limit, self._timeout_s = work, items, limit, timeout_s
        self._waiting = deque(range(len(items)))
        self._tries = [0] * len(items)
        self._workers: list[_Worker] = []

    def answers(self) -> Iterator[tuple[str, int, Any]]:
        """Keep all processes busy, wait, and give what has come: (MESSAGE or DONE, number of the item, what)."""
        self._hand_out()
        ready = wait([worker.connection for worker in self._workers], self._patience_s())
        for worker in [worker for worker in self._workers if worker.connection in ready]:
            try:
                kind, number, what = worker.connection.recv()
            except (EOFError, OSError):
                yield from self._lost(worker)
            else:
                worker.number = None if kind == DONE else number
                yield kind, number, what
        yield from self._overdue()

    def _patience_s(self) -> float | None:
        """Time to the first deadline, None where there is none."""
        first_s = min((w.deadline_s for w in self._workers if w.number is not None), default=math.inf)
        return None if math.isinf(first_s) else max(0.0, first_s - time.monotonic())

    def _overdue(self) -> Iterator[tuple[str, int, Any]]:
        """Give up items past their deadline. Not tried again: what hangs once hangs twice."""
        for worker in [w for w in self._workers if w.number is not None and w.deadline_s <= time.monotonic()]:
            self._workers.remove(worker)
            worker.process.kill()
            worker.process.join()
            worker.connection.close()
            assert worker.number is not None
            yield DONE, worker.number, Failed(f"not done within {self._timeout_s:g} s, so its process was ended")

    def _hand_out(self) -> None:
        while self._waiting and (worker := self._idle()):
            worker.number = self._waiting.popleft()
            self._tries[worker.number] += 1
            worker.deadline_s = math.inf if self._timeout_s is None else time.monotonic() + self._timeout_s
            # Where it has died already, reading from it shows that.
            with suppress(OSError):
                worker.connection.send((worker.number, self._items[worker.number]))

    def _idle(self) -> _Worker | None:
        for worker in self._workers:
            if worker.number is None:
                return worker
        if len(self._workers) == self._limit:
            return None
        self._workers.append(_start(self._work, threads=max(1, cores() // self._limit)))
        return self._workers[-1]

    def _lost(self, worker: _Worker) -> Iterator[tuple[str, int, Any]]:
        self._workers.remove(worker)
        end = _cause_of_death(worker)
        if worker.number is None:
            return
        if self._tries[worker.number] < _TRIES:
            # Last, when others may have given back the memory that it lacked.
            self._waiting.append(worker.number)
        else:
            yield DONE, worker.number, Failed(end)

    def stop(self) -> None:
        """End all processes. They notice that the pipe is closed; one that is deep in a kernel is killed."""
        for worker in self._workers:
            worker.connection.close()
        deadline_s = time.monotonic() + _GRACE_S
        for worker in self._workers:
            worker.process.join(max(0.0, deadline_s - time.monotonic()))
            worker.process.kill()
        for worker in self._workers:
            worker.process.join()


def _start(work: Work[Any, Any], threads: int) -> _Worker:
    """Spawned, not forked: numba's threads do not survive a fork."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, work), daemon=True)
    with _inherited_limits(threads):
        process.start()
    theirs.close()
    return _Worker(process, ours)


@contextmanager
def _inherited_limits(threads: int) -> Iterator[None]:
    """What a process started meanwhile takes over: limits for its threads, and deafness to Ctrl-C.

    Ctrl-C goes to every process of a terminal, and it is this one's part to stop the others. Blocked, not ignored, so
    that one which comes in between is not lost here.
    """
    limits = thread_limits(threads)
    # With the first process multiprocessing starts this one too, and unblocks signals after it.
    resource_tracker.ensure_running()
    before = {name: os.environ.get(name) for name in limits}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    os.environ.update(limits)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _cause_of_death(worker: _Worker) -> str:
    """What became of a process that is no more, after a second one on the same item."""
    worker.connection.close()
    worker.process.join(_GRACE_S)
    code = worker.process.exitcode
    if code == -signal.SIGKILL:
        return "two processes in turn were killed at it, perhaps for want of memory; fewer --workers need less"
    how = f"were ended by signal {-code}" if code is not None and code < 0 else f"ended with exit code {code}"
    return f"two processes in turn {how} at it"
