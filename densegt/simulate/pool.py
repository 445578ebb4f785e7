"""Scenes one after the other on all cores, or several at once with their share of the cores."""

from __future__ import annotations

import os
import queue
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from densegt.kernels.threads import use_threads
from densegt.simulate.config import SimulateConfig
from densegt.simulate.recording import compile_kernels, record_scene, sweeps_in
from densegt.simulate.tables import Tables

Progress = Callable[[int, int], None]

_ticks: Any = None
"""In a worker process: where finished sweeps are counted."""


def record_scenes(config: SimulateConfig, folder: Path, progress: Progress, *, workers: int | None) -> list[Tables]:
    """Record every scene; the rows of each, in order. By default as many at once as there are cores."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    workers = min(workers or cores, config.scenes)
    if workers == 1:
        return _one_by_one(config, folder, progress)
    return _at_once(config, folder, progress, workers, threads=max(cores // workers, 1))


def _one_by_one(config: SimulateConfig, folder: Path, progress: Progress) -> list[Tables]:
    done, total = 0, config.scenes * sweeps_in(config.seconds)

    def tick() -> None:
        nonlocal done
        done += 1
        progress(done, total)

    return [record_scene(config, i, folder, tick) for i in range(config.scenes)]


def _at_once(config: SimulateConfig, folder: Path, progress: Progress, workers: int, threads: int) -> list[Tables]:
    compile_kernels()  # once, before each worker would do it for itself
    context = get_context("spawn")
    ticks = context.Queue()
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start, initargs=(ticks, threads))
    try:
        futures = [pool.submit(_record, config, i, folder) for i in range(config.scenes)]
        _follow(futures, ticks, progress, config.scenes * sweeps_in(config.seconds))
        tables = [future.result() for future in futures]
    except BrokenProcessPool:
        raise ChildProcessError("a worker process died, perhaps for want of memory; try --workers 1") from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return tables


def _follow(futures: list[Future[Tables]], ticks: Any, progress: Progress, total: int) -> None:
    """Report progress until all scenes are done or one has failed."""
    done, pending = 0, set(futures)
    while pending and not any(f.done() and f.exception() for f in futures):
        pending = wait(pending, timeout=0.3).not_done
        try:
            while True:
                ticks.get_nowait()
                done += 1
        except queue.Empty:
            progress(done, total)


def _start(ticks: Any, threads: int) -> None:
    global _ticks
    _ticks = ticks
    use_threads(threads)


def _record(config: SimulateConfig, index: int, folder: Path) -> Tables:
    return record_scene(config, index, folder, lambda: _ticks.put(1))
