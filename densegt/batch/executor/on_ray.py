"""An existing Ray cluster. Scheduling, retries, spilling and lost nodes are Ray's; every node needs the same densegt,
and the folders that work names, under the same paths.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from densegt.batch.executor.attempt import Failed, Item, Result, Work, attempt
from densegt.batch.executor.executor import OnMessage, ignore_message
from densegt.batch.executor.threads import thread_limits
from densegt.errors import InputError
from densegt.install_hint import install_command

_POLL_S = 1.0
_REPORT_EVERY_S = 0.5
_CONNECT_S = 5.0


class Ray:
    """Tasks of one core each on the cluster at `address`, or on the one that this machine belongs to.

    Args:
        at_once: at most so many tasks at the same time.
        task_bytes: memory that Ray is to set aside for each.
    """

    def __init__(
        self, address: str | None = None, *, at_once: int | None = None, task_bytes: int | None = None
    ) -> None:
        self.address = address
        self.at_once = at_once
        self.task_bytes = task_bytes

    def run(
        self, work: Work[Item, Result], items: Sequence[Item], on_message: OnMessage = ignore_message
    ) -> Generator[tuple[Item, Result | Failed], None, None]:
        """Yield each item and its result as they are done; closing the generator cancels what is left.

        Raises:
            InputError: Ray is not installed, or there is no such cluster.
        """
        ray = _connect(self.address)
        try:
            yield from _run(ray, work, items, on_message, self.at_once or len(items), self.task_bytes)
        finally:
            # Ends the tasks of this run that are still at work.
            ray.shutdown()


def _connect(address: str | None) -> Any:
    try:
        import ray
    except ImportError:
        raise InputError(f"--executor ray: Ray is not installed; {install_command('ray')}") from None
    try:
        asked = address or os.environ.get("RAY_ADDRESS") or _last_cluster()
        if asked and asked not in ("auto", "local"):
            _check_reachable(asked)
        with _signal_handlers_kept():
            ray.init(address=address or "auto", log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        where = f"no Ray cluster at {address}" if address else "no Ray cluster here"
        fix = "start one with `ray start --head`, or name one with --ray-address"
        raise InputError(f"--executor ray: {where} ({reason}); {fix}") from None
    return ray


def _last_cluster() -> str:
    """The address that Ray takes where none is named, "" for none: that of the last cluster here, which may be gone."""
    folder = os.environ.get("RAY_TMPDIR") or os.environ.get("TMPDIR") or "/tmp"
    with suppress(OSError):
        return (Path(folder) / "ray" / "ray_current_cluster").read_text().strip()
    return ""


def _check_reachable(address: str) -> None:
    """Ray itself tries for minutes.

    Raises:
        OSError: nobody answers. ValueError: not HOST:PORT.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError("not HOST:PORT")
    socket.create_connection((host, int(port)), timeout=_CONNECT_S).close()


@contextmanager
def _signal_handlers_kept() -> Iterator[None]:
    """Ray puts a handler of its own for SIGTERM; how a run is stopped is settled by who started it."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)


def _run(
    ray: Any,
    work: Work[Item, Result],
    items: Sequence[Item],
    on_message: OnMessage,
    at_once: int,
    task_bytes: int | None,
) -> Generator[tuple[Item, Result | Failed], None, None]:
    board = _board(ray)
    # Sent once, not once a task.
    shared = ray.put(work)
    task = ray.remote(_task).options(num_cpus=1, memory=task_bytes, runtime_env={"env_vars": thread_limits(1)})
    waiting = iter(range(len(items)))
    at_work: dict[Any, int] = {}
    while True:
        while len(at_work) < at_once and (number := next(waiting, None)) is not None:
            at_work[task.remote(shared, items[number], number, board)] = number
        if not at_work:
            return
        ready, _ = ray.wait(list(at_work), num_returns=1, timeout=_POLL_S)
        for number, message in _new_messages(ray, board).items():
            on_message(items[number], message)
        for reference in ready:
            number = at_work.pop(reference)
            yield items[number], _result(ray, reference)


def _result(ray: Any, reference: Any) -> Any:
    try:
        return ray.get(reference)
    except ray.exceptions.RayError as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        # What was raised on a node ends with its message, what Ray says itself begins with it.
        line = lines[-1 if isinstance(error, ray.exceptions.RayTaskError) else 0] if lines else ""
        return Failed(f"Ray gave it up: {type(error).__name__}: {line}")


def _task(work: Work[Item, Result], item: Item, number: int, board: Any) -> Result | Failed:
    """On a node."""
    return attempt(work, item, _Reporter(board, number).report)


class _Reporter:
    """Sends the latest message, but not every one: each costs a call over the network."""

    def __init__(self, board: Any, number: int) -> None:
        self._send = partial(board.post.remote, number)
        self._sent_s = 0.0

    def report(self, message: Any) -> None:
        if time.monotonic() - self._sent_s > _REPORT_EVERY_S:
            self._sent_s = time.monotonic()
            self._send(message)


class _MessageBoard:
    """The latest message about each item that has not been read yet."""

    def __init__(self) -> None:
        self._latest: dict[int, Any] = {}

    def post(self, number: int, message: Any) -> None:
        self._latest[number] = message

    def read(self) -> dict[int, Any]:
        latest, self._latest = self._latest, {}
        return latest


def _board(ray: Any) -> Any:
    """A message board on this node, so that it lasts as long as the run."""
    here = ray.get_runtime_context().get_node_id()
    place = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(here, soft=True)
    return ray.remote(_MessageBoard).options(num_cpus=0, scheduling_strategy=place).remote()


def _new_messages(ray: Any, board: Any) -> dict[int, Any]:
    """New messages by item number; none where the board is lost or slow: progress is not worth a run."""
    messages: dict[int, Any] = {}
    with suppress(ray.exceptions.RayError):
        messages = ray.get(board.read.remote(), timeout=_POLL_S)
    return messages
