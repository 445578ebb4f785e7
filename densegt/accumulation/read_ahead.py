"""Sweeps that are read before their turn."""

from __future__ import annotations

from collections.abc import Callable

from densegt.datasets.scene import Points, Sweep


class ReadAhead:
    """Reads sweeps; while it looks ahead it keeps what it reads, and later hands that out once instead of the file."""

    def __init__(self, read: Callable[[Sweep], Points]) -> None:
        self._read = read
        self._kept: dict[str, Points] = {}
        self._ahead = True

    def __call__(self, sweep: Sweep) -> Points:
        """A sweep's points.

        Raises:
            InputError: its file cannot be read.
        """
        points = self._kept.pop(sweep.token, None) or self._read(sweep)
        if self._ahead:
            self._kept[sweep.token] = points
        return points

    def stop(self) -> None:
        """Look ahead no more: each sweep's turn has come."""
        self._ahead = False
