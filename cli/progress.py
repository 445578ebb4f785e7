"""A progress bar on stderr, so that stdout holds results only."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from densegt.batch.progress import RunProgress

LOG_EVERY_S = 30.0


@contextmanager
def progress_on_stderr(what: str) -> Iterator[Callable[[int, int], None]]:
    """Give a function that is told (done, total); the bar shows on a terminal and stays silent elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def standing_on_stderr() -> Iterator[Callable[[RunProgress], None]]:
    """Give a function that is told where a run stands: a bar on a terminal, now and then a line in a log."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield log_lines(lambda line: console.print(line, highlight=False, soft_wrap=True))
        return
    began = time.monotonic()
    with Progress(BarColumn(), TextColumn("{task.description}"), console=console, transient=True) as bar:
        task = bar.add_task("", total=None)

        def show(standing: RunProgress) -> None:
            said = in_words(standing, time.monotonic() - began)
            bar.update(task, completed=standing.steps_done, total=standing.steps, description=said)

        yield show


def log_lines(say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> Callable[[RunProgress], None]:
    """Says where a run stands, the first time after LOG_EVERY_S and then that often at most."""
    began = said_s = clock()

    def show(standing: RunProgress) -> None:
        nonlocal said_s
        now = clock()
        if now - said_s >= LOG_EVERY_S:
            said_s = now
            say(f"densegt: {in_words(standing, now - began)}")

    return show


def in_words(standing: RunProgress, elapsed_s: float) -> str:
    """Scenes and keyframes, the rate, and the time left at the pace so far."""
    s = standing
    words = [f"{s.scenes_done}/{s.scenes} scenes", f"{s.keyframes_done}/{s.keyframes} keyframes"]
    if s.keyframes_done and elapsed_s > 0:
        words.append(f"{s.keyframes_done / elapsed_s:.2f} keyframes/s")
    if s.steps_done:
        left_s = round(elapsed_s * (s.steps - s.steps_done) / s.steps_done)
        words.append(f"{left_s // 3600}:{left_s // 60 % 60:02}:{left_s % 60:02} left")
    return ", ".join(words)
