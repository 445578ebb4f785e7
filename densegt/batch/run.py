"""The scenes of a dataset, on whatever runs them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from densegt.accumulate.job import Job, SceneDone
from densegt.accumulate.scene_to_store import store_scene
from densegt.batch.executor import Executor, Failed, Here
from densegt.batch.progress import ProgressTracker, RunProgress, SceneProgress
from densegt.batch.recording_handle import RecordingHandle
from densegt.batch.resume import finished_scenes
from densegt.batch.scene_lock import remove_leftovers
from densegt.errors import InputError

HERE = Here()


def accumulate(
    job: Job,
    names: Sequence[str],
    *,
    executor: Executor = HERE,
    progress: Callable[[RunProgress], None] = lambda standing: None,
    record: Callable[[SceneDone], None] = lambda done: None,
) -> list[SceneDone]:
    """Accumulate scenes; one that fails is reported in its result and the others go on.

    Finished scenes are skipped. Where two runs share a folder, each takes what the other is not at, and waits for the
    rest at the end.

    Args:
        progress: told where the run stands, after every sweep and image.
        record: given each scene's result as soon as it is known.

    Returns:
        Results in the order of `names`.

    Raises:
        InputError: before any work: the folder cannot be written to, or a file in it was made with other options or
            from other input.
    """
    handle = RecordingHandle(job.recording)
    results: dict[str, SceneDone] = {}

    def settle(done: SceneDone) -> None:
        results[done.name] = done
        record(done)

    finished = set(finished_scenes(job, handle.recording, names))
    left = [name for name in names if name not in finished]
    if left:
        _check_writable(job.out)
    for name in names:
        if name in finished:
            settle(SceneDone(name, "skipped", job.path(name)))
    tally = ProgressTracker(handle.recording, left)

    def heard(name: str, told: SceneProgress) -> None:
        tally.tell(name, told)
        progress(tally.standing())

    try:
        for patient in (False, True):
            busy = []
            work = partial(store_scene, job, handle, patient)
            with closing(executor.run(work, left, heard)) as outcomes:
                for name, outcome in outcomes:
                    if outcome is None:
                        busy.append(name)
                        continue
                    tally.end(name)
                    settle(_failed(name, outcome) if isinstance(outcome, Failed) else outcome)
                    progress(tally.standing())
            left = busy
    finally:
        remove_leftovers(job.out, list(names))
    return [results[name] for name in names]


def _failed(name: str, failed: Failed) -> SceneDone:
    return SceneDone(name, "failed", error=failed.why, by_input=failed.by_input, traceback=failed.traceback)


def _check_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise InputError(f"{folder}: nothing can be written there ({error.strerror}); choose another --out") from None
