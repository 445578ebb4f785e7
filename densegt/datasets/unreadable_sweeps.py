"""Sweeps whose files turn out to be bad when their points are read."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from densegt.datasets.scene import Points, Sweep
from densegt.datasets.set_aside import SetAside
from densegt.errors import InputError

NO_POINTS = Points(np.zeros((0, 3), np.float32), np.zeros(0, np.float32), np.zeros(0, np.uint16))


class UnreadableSweeps:
    """Reads sweeps; one that cannot be read has no points, and is kept in `found`, in the order of reading."""

    def __init__(self, read: Callable[[Sweep], Points]) -> None:
        self._read = read
        self._errors: dict[str, SetAside] = {}

    def __call__(self, sweep: Sweep) -> Points:
        """A sweep's points, none where its file is bad."""
        try:
            return self._read(sweep)
        except InputError as error:
            why = str(error).removeprefix(f"{sweep.path}: ")
            self._errors[sweep.token] = SetAside("sweep", str(sweep.path), why)
            return NO_POINTS

    @property
    def found(self) -> tuple[SetAside, ...]:
        """The sweeps that could not be read."""
        return tuple(self._errors.values())
