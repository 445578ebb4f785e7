"""Seconds spent in the stages of a scene."""

from __future__ import annotations

import time


class StageSeconds:
    """Seconds by stage; one stage follows the other.

    Args:
        first: the stage that begins now.
    """

    def __init__(self, first: str) -> None:
        self._seconds: dict[str, float] = {}
        self._stage, self._since = first, time.monotonic()

    def enter(self, stage: str) -> None:
        """Leave the stage so far for this one."""
        now = time.monotonic()
        self._seconds[self._stage] = self._seconds.get(self._stage, 0.0) + now - self._since
        self._stage, self._since = stage, now

    def end(self) -> dict[str, float]:
        """Leave the last stage; seconds of all."""
        self.enter("")
        return {stage: round(seconds, 3) for stage, seconds in self._seconds.items()}
