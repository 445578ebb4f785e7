"""Steps of different kinds as one progress."""

from __future__ import annotations

from collections.abc import Callable


class StepCounter:
    """Calls `progress` with (steps done, steps in all) each time that a step is done."""

    def __init__(self, progress: Callable[[int, int], None], total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def __call__(self) -> None:
        """Count a step."""
        self._done += 1
        self._progress(min(self._done, self._total), self._total)
