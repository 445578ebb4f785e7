"""A progress bar on stderr, so that stdout holds results only."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from densegt.batch.progress import RunProgress

LOG_EVERY_S = 30.0
# Images of a keyframe take about as long as so many sweeps that are read; among steps each counts as one.
KEYFRAME_STEPS = 35


@contextmanager
def progress_on_stderr(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal, nothing elsewhere; gives a function of (done, total)."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def run_progress_on_stderr() -> Iterator[Callable[[RunProgress], None]]:
    """A bar on a terminal, now and then a line elsewhere; gives a function of a run's progress."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield log_lines(lambda line: console.print(line, highlight=False, soft_wrap=True))
        return
    began = time.monotonic()
    with Progress(BarColumn(), TextColumn("{task.description}"), console=console, transient=True) as bar:
        task = bar.add_task("", total=None)

        def show(run: RunProgress) -> None:
            words = in_words(run, time.monotonic() - began)
            bar.update(task, completed=_work(run)[0], total=_work(run)[1], description=words)

        yield show


def log_lines(say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> Callable[[RunProgress], None]:
    """Function of a run's progress that says a line every LOG_EVERY_S at most, the first one after that time."""
    began = said_s = clock()

    def show(run: RunProgress) -> None:
        nonlocal said_s
        now = clock()
        if now - said_s >= LOG_EVERY_S:
            said_s = now
            say(f"densegt: {in_words(run, now - began)}")

    return show


def in_words(run: RunProgress, elapsed_s: float) -> str:
    """Scenes and keyframes, the rate, and the time left at the pace so far."""
    words = [f"{run.scenes_done}/{run.scenes} scenes", f"{run.keyframes_done}/{run.keyframes} keyframes"]
    if run.keyframes_done and elapsed_s > 0:
        words.append(f"{run.keyframes_done / elapsed_s:.2f} keyframes/s")
    if run.steps_done:
        done, all_ = _work(run)
        left_s = round(elapsed_s * (all_ - done) / done)
        words.append(f"{left_s // 3600}:{left_s // 60 % 60:02}:{left_s % 60:02} left")
    return ", ".join(words)


def _work(run: RunProgress) -> tuple[int, int]:
    """Work that is done, and all of it, in sweeps that are read."""
    return run.steps_done + KEYFRAME_STEPS * run.keyframes_done, run.steps + KEYFRAME_STEPS * run.keyframes
