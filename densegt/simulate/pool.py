"""Scenes one after the other on all cores, or several at once with their share of the cores."""

from __future__ import annotations

import json
import os
import queue
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from densegt.kernels.threads import use_threads
from densegt.simulate.config import SimulateConfig
from densegt.simulate.drive import Street
from densegt.simulate.writer.recorder import sweeps_in
from densegt.simulate.writer.recording import record_scene, scene_name
from densegt.simulate.writer.tables import Tables

Progress = Callable[[int, int], None]

ROWS = "rows"
"""Folder of the rows of finished scenes, one JSON file a scene; it marks them as done."""

_ticks: Any = None
"""In a worker process: where finished sweeps are counted."""


@dataclass(frozen=True)
class Job:
    """All scenes of one simulation, and the folder they are written to."""

    street: Street
    config: SimulateConfig
    folder: Path

    def rows_file(self, index: int) -> Path:
        """Where a finished scene's rows are."""
        return self.folder / ROWS / f"{scene_name(index)}.json"

    def sweeps(self, index: int) -> int:
        """How many sweeps a scene has."""
        return sweeps_in(self.config.seconds, self.street.sweep_us(self.config, index))

    def record(self, index: int, tick: Callable[[], None]) -> None:
        """Record a scene and note that it is done."""
        (self.folder / "exact" / f"{scene_name(index)}.h5").unlink(missing_ok=True)
        tables = record_scene(self.street, self.config, index, self.folder, tick)
        file = self.rows_file(index)
        file.parent.mkdir(exist_ok=True)
        file.with_suffix(".partial").write_text(json.dumps(tables))
        file.with_suffix(".partial").rename(file)

    def rows(self, index: int) -> Tables:
        """A finished scene's rows of the tables."""
        tables: Tables = json.loads(self.rows_file(index).read_text())
        return tables


def record_scenes(job: Job, progress: Progress, *, workers: int | None) -> list[Tables]:
    """Record every scene that is not done yet; the rows of each, in order. As many at once as there are cores."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    scenes = range(job.config.scenes)
    left = [i for i in scenes if not job.rows_file(i).is_file()]
    counter = _Counter(progress, sum(map(job.sweeps, scenes)), sum(job.sweeps(i) for i in scenes if i not in left))
    workers = min(workers or cores, max(len(left), 1))
    if workers == 1:
        for index in left:
            job.record(index, counter.tick)
    else:
        _at_once(job, left, counter, workers, threads=max(cores // workers, 1))
    return [job.rows(i) for i in scenes]


class _Counter:
    """Counts sweeps and reports them."""

    def __init__(self, progress: Progress, total: int, done: int) -> None:
        self._progress, self._total, self._done = progress, total, done

    def tick(self, sweeps: int = 1) -> None:
        self._done += sweeps
        self._progress(self._done, self._total)


def _at_once(job: Job, scenes: list[int], counter: _Counter, workers: int, threads: int) -> None:
    job.street.warm_up()  # once, before each worker would do it for itself
    context = get_context("spawn")
    ticks = context.Queue()
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start, initargs=(ticks, threads))
    try:
        futures = [pool.submit(_record, job, i) for i in scenes]
        _follow(futures, ticks, counter)
        for future in futures:
            future.result()
    except BrokenProcessPool:
        raise ChildProcessError("a worker process died, perhaps for want of memory; try --workers 1") from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _follow(futures: list[Future[None]], ticks: Any, counter: _Counter) -> None:
    """Report progress until all scenes are done or one has failed."""
    pending = set(futures)
    while pending and not any(f.done() and f.exception() for f in futures):
        pending = wait(pending, timeout=0.3).not_done
        fresh = 0
        try:
            while True:
                ticks.get_nowait()
                fresh += 1
        except queue.Empty:
            counter.tick(fresh)


def _start(ticks: Any, threads: int) -> None:
    global _ticks
    _ticks = ticks
    use_threads(threads)


def _record(job: Job, index: int) -> None:
    job.record(index, lambda: _ticks.put(1))
