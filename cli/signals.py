"""SIGTERM handled as Ctrl-C is: the work is stopped in order, and the exit code tells which it was."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType
from typing import Any, Self


class SigtermAsInterrupt:
    """Context in which SIGTERM raises KeyboardInterrupt; a second one does not disturb the stopping."""

    def __init__(self) -> None:
        # Kept here, not in the exception: what comes through compiled code may be another than what was raised.
        self._number = signal.SIGINT
        self._before: Any = None

    @property
    def exit_code(self) -> int:
        """128 and the signal's number, as shells have it."""
        return 128 + self._number

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGTERM, self._interrupt)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.signal(signal.SIGTERM, self._before)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self._number = signal.SIGTERM
        raise KeyboardInterrupt
