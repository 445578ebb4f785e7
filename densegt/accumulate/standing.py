"""Where a run stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from densegt.datasets.nuscenes import NuScenes


@dataclass(frozen=True)
class Told:
    """What a scene at work tells: steps (sweeps read and images written) and keyframes so far."""

    steps: int
    keyframes: int


@dataclass(frozen=True)
class Standing:
    """How much of a run is done; finished scenes that it found are not counted."""

    scenes_done: int
    scenes: int
    keyframes_done: int
    keyframes: int
    steps_done: int
    steps: int


class Tally:
    """Keeps the standing of a run from what its scenes tell."""

    def __init__(self, dataset: NuScenes, names: Sequence[str]) -> None:
        self._all = {name: Told(dataset.steps(name), dataset.keyframes(name)) for name in names}
        self._told: dict[str, Told] = {}
        self._done: set[str] = set()

    def tell(self, name: str, told: Told) -> None:
        """A scene is so far."""
        self._told[name] = told

    def end(self, name: str) -> None:
        """A scene is done, or has failed."""
        self._told[name] = self._all[name]
        self._done.add(name)

    def standing(self) -> Standing:
        """Now."""
        told, whole = self._told, self._all
        return Standing(
            scenes_done=len(self._done),
            scenes=len(whole),
            keyframes_done=sum(min(told[n].keyframes, whole[n].keyframes) for n in told),
            keyframes=sum(each.keyframes for each in whole.values()),
            steps_done=sum(min(told[n].steps, whole[n].steps) for n in told),
            steps=sum(each.steps for each in whole.values()),
        )
