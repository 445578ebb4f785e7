"""A run: a job's scenes, on whatever executes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial

from densegt.batch.executor import Executor, Failed, Serial
from densegt.batch.job import ReportProgress, SceneJob, SceneResult, scene_path
from densegt.batch.progress import ProgressTracker, RunProgress, SceneProgress
from densegt.batch.resume import finished_scenes, is_finished
from densegt.batch.scene_lock import remove_leftovers, scene_lock
from densegt.depth.partial_file import check_writable

SERIAL = Serial()


def run_scenes(
    job: SceneJob,
    names: Sequence[str],
    *,
    executor: Executor = SERIAL,
    progress: Callable[[RunProgress], None] = lambda run_progress: None,
    record: Callable[[SceneResult], None] = lambda result: None,
) -> list[SceneResult]:
    """Results of a job's scenes, in the order of `names`; a scene that fails says so in its result.

    Finished scenes are skipped. Where two runs share a folder, each takes what the other does not work on, and waits
    for the rest at the end.

    Args:
        progress: called after every step.
        record: called with each scene's result as soon as it is known.

    Raises:
        InputError: before any work: the folder cannot be written to, or a file in it was made with other options or
            from other input.
    """
    job.check()
    results: dict[str, SceneResult] = {}

    def settle(result: SceneResult) -> None:
        results[result.name] = result
        record(result)

    finished = set(finished_scenes(job, names))
    left = [name for name in names if name not in finished]
    if left:
        check_writable(job.out)
    for name in names:
        if name in finished:
            settle(SceneResult(name, "skipped", scene_path(job, name)))
    tracker = ProgressTracker({name: job.size(name) for name in left})

    def update(name: str, scene_progress: SceneProgress) -> None:
        tracker.update(name, scene_progress)
        progress(tracker.compute())

    try:
        for wait in (False, True):
            busy = []
            with closing(executor.run(partial(run_scene, job, wait), left, update)) as outcomes:
                for name, outcome in outcomes:
                    if outcome is None:
                        busy.append(name)
                        continue
                    tracker.end(name)
                    settle(_failed(name, outcome) if isinstance(outcome, Failed) else outcome)
                    progress(tracker.compute())
            left = busy
    finally:
        remove_leftovers(job.out, list(names))
    return [results[name] for name in names]


def run_scene(job: SceneJob, wait: bool, name: str, report: ReportProgress) -> SceneResult | None:
    """Result of one scene; None where another run works on it.

    Args:
        wait: for the other run, and take its file or do what it left undone.

    Raises:
        InputError: the scene cannot be read, or something else came under its name meanwhile.
    """
    with scene_lock(job.out, name, wait=wait) as acquired:
        if not acquired:
            return None
        if is_finished(job, name):
            return SceneResult(name, "skipped", scene_path(job, name))
        return job.process(name, report)


def _failed(name: str, failed: Failed) -> SceneResult:
    return SceneResult(name, "failed", error=failed.why, by_input=failed.by_input, traceback=failed.traceback)
