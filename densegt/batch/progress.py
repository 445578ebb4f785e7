"""Progress of a run and of a scene in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class SceneProgress:
    """Steps of a scene (sweeps read, images written) and its keyframes, those done or all."""

    steps: int
    keyframes: int


@dataclass(frozen=True)
class RunProgress:
    """How much of a run is done; scenes that were finished before it are not counted."""

    scenes_done: int
    scenes: int
    keyframes_done: int
    keyframes: int
    steps_done: int
    steps: int


class ProgressTracker:
    """Progress of a run, summed over its scenes.

    Args:
        sizes: all steps and keyframes of each scene.
    """

    def __init__(self, sizes: Mapping[str, SceneProgress]) -> None:
        self._sizes = sizes
        self._done: dict[str, SceneProgress] = {}
        self._ended: set[str] = set()

    def update(self, name: str, progress: SceneProgress) -> None:
        """Set how far a scene is."""
        self._done[name] = progress

    def end(self, name: str) -> None:
        """Count a scene as done, or failed."""
        self._done[name] = self._sizes[name]
        self._ended.add(name)

    def compute(self) -> RunProgress:
        """Progress now."""
        done, sizes = self._done, self._sizes
        return RunProgress(
            scenes_done=len(self._ended),
            scenes=len(sizes),
            keyframes_done=sum(min(done[n].keyframes, sizes[n].keyframes) for n in done),
            keyframes=sum(size.keyframes for size in sizes.values()),
            steps_done=sum(min(done[n].steps, sizes[n].steps) for n in done),
            steps=sum(size.steps for size in sizes.values()),
        )
