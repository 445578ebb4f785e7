"""Where a run stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from densegt.datasets.recording import Recording


@dataclass(frozen=True)
class SceneProgress:
    """What a scene at work tells: steps (sweeps read and images written) and keyframes so far."""

    steps: int
    keyframes: int


@dataclass(frozen=True)
class RunProgress:
    """How much of a run is done; finished scenes that it found are not counted."""

    scenes_done: int
    scenes: int
    keyframes_done: int
    keyframes: int
    steps_done: int
    steps: int


class ProgressTracker:
    """Keeps the standing of a run from what its scenes tell."""

    def __init__(self, recording: Recording, names: Sequence[str]) -> None:
        self._all = {name: SceneProgress(recording.steps(name), recording.keyframe_count(name)) for name in names}
        self._told: dict[str, SceneProgress] = {}
        self._done: set[str] = set()

    def tell(self, name: str, told: SceneProgress) -> None:
        """A scene is so far."""
        self._told[name] = told

    def end(self, name: str) -> None:
        """A scene is done, or has failed."""
        self._told[name] = self._all[name]
        self._done.add(name)

    def standing(self) -> RunProgress:
        """Now."""
        told, whole = self._told, self._all
        return RunProgress(
            scenes_done=len(self._done),
            scenes=len(whole),
            keyframes_done=sum(min(told[n].keyframes, whole[n].keyframes) for n in told),
            keyframes=sum(each.keyframes for each in whole.values()),
            steps_done=sum(min(told[n].steps, whole[n].steps) for n in told),
            steps=sum(each.steps for each in whole.values()),
        )
