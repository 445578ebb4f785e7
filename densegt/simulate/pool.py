"""Scenes one after the other on all cores, or several at once with their share of the cores."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NoReturn

from densegt.batch.executor import Failed, Local, SendMessage
from densegt.batch.executor.threads import cores
from densegt.depth.partial_file import remove_partial_files
from densegt.errors import InputError
from densegt.simulate.config import SimulateConfig
from densegt.simulate.drive import Street
from densegt.simulate.writer.recorder import sweeps_in
from densegt.simulate.writer.recording import record_scene, scene_name
from densegt.simulate.writer.tables import Tables

Progress = Callable[[int, int], None]

ROWS = "rows"
"""Folder of the rows of finished scenes, one JSON file a scene; it marks them as done."""


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

    def record(self, index: int, report: SendMessage) -> None:
        """Record a scene and note that it is done; reports how many of its sweeps are there."""
        store = self.folder / "exact" / f"{scene_name(index)}.h5"
        if store.parent.is_dir():
            remove_partial_files(store)
        store.unlink(missing_ok=True)
        swept = 0

        def tick() -> None:
            nonlocal swept
            swept += 1
            report(swept)

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
    scenes = range(job.config.scenes)
    left = [i for i in scenes if not job.rows_file(i).is_file()]
    swept = {i: 0 if i in left else job.sweeps(i) for i in scenes}
    total = sum(map(job.sweeps, scenes))

    def count(index: int, sweeps: int) -> None:
        swept[index] = sweeps
        progress(sum(swept.values()), total)

    workers = min(workers or cores(), max(len(left), 1))
    if workers == 1:
        for index in left:
            job.record(index, partial(count, index))
    else:
        job.street.warm_up()  # once, before each worker would do it for itself
        with closing(Local(workers).run(partial(_record, job), left, count)) as outcomes:
            for index, outcome in outcomes:
                if isinstance(outcome, Failed):
                    _give_up(index, outcome)
    return [job.rows(i) for i in scenes]


def _record(job: Job, index: int, report: SendMessage) -> None:
    job.record(index, report)


def _give_up(index: int, failed: Failed) -> NoReturn:
    if failed.by_input:
        raise InputError(failed.why)
    if failed.traceback:
        raise RuntimeError(f"{scene_name(index)}: {failed.traceback}")
    raise OSError(failed.errno, f"{scene_name(index)}: {failed.why}")
