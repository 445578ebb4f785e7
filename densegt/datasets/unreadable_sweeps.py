"""Sweeps whose files turn out to be bad when their points are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from densegt.datasets.scene import Points, Scene, Sweep
from densegt.datasets.set_aside import SetAside
from densegt.errors import InputError

NO_POINTS = Points(np.zeros((0, 3), np.float32), np.zeros(0, np.float32), np.zeros(0, np.uint16))


class UnreadableSweepError(InputError):
    """A sweep cannot be read."""

    def __init__(self, sweep: Sweep, why: str) -> None:
        super().__init__(why)
        self.sweep = sweep

    def set_aside(self) -> SetAside:
        """The sweep as something that was left out."""
        return SetAside("sweep", str(self.sweep.path), str(self).removeprefix(f"{self.sweep.path}: "))


class NamedSweeps:
    """Reads sweeps; its errors say which one could not be read."""

    def __init__(self, read: Callable[[Sweep], Points]) -> None:
        self._read = read

    def __call__(self, sweep: Sweep) -> Points:
        """A sweep's points.

        Raises:
            UnreadableSweepError: its file is bad.
        """
        try:
            return self._read(sweep)
        except InputError as error:
            raise UnreadableSweepError(sweep, str(error)) from None


class ReadableSweeps:
    """Reads sweeps, by `NamedSweeps`; one that cannot be read has no points."""

    def __init__(self, read: Callable[[Sweep], Points]) -> None:
        self._read = read
        self._bad: dict[str, SetAside] = {}

    @property
    def set_aside(self) -> tuple[SetAside, ...]:
        """Those so far, in the order of reading."""
        return tuple(self._bad.values())

    def __call__(self, sweep: Sweep) -> Points:
        """A sweep's points, none where its file is bad."""
        try:
            return self._read(sweep)
        except UnreadableSweepError as error:
            self._bad[sweep.token] = error.set_aside()
            return NO_POINTS


def without_sweep(scene: Scene, bad: UnreadableSweepError) -> Scene:
    """The scene with a sweep set aside.

    Raises:
        InputError: it is the last one.
    """
    sweeps = tuple(sweep for sweep in scene.sweeps if sweep.token != bad.sweep.token)
    if not sweeps:
        raise InputError(f"scene {scene.name}: not one sweep can be read; {bad}")
    lidars = tuple(lidar for lidar in scene.lidars if any(sweep.lidar is lidar for sweep in sweeps))
    return replace(scene, sweeps=sweeps, lidars=lidars, set_aside=(*scene.set_aside, bad.set_aside()))
