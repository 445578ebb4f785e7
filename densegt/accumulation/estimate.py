"""What a run will take before it begins: time, disk and memory, by arithmetic from what a keyframe costs."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from densegt.batch.memory import largest_bytes
from densegt.datasets.recording import Recording

# Of one core and one million pixels of depth, scene's share included; `benchmarks/speed/budget.py` measures both.
SECONDS_PER_MEGAPIXEL = 0.36
BYTES_PER_MEGAPIXEL = 1.31e6
# So many scenes are opened to learn how large their images are.
_SAMPLES = 3


@dataclass(frozen=True)
class RunEstimate:
    """What accumulating some scenes takes.

    Attributes:
        megapixels: of all depth maps.
        core_seconds: of one core.
        bytes: of the store; free_bytes: where it goes.
        worker_bytes: memory of the worker that has the largest scene.
    """

    scenes: int
    keyframes: int
    megapixels: float
    core_seconds: float
    bytes: float
    free_bytes: int
    worker_bytes: int

    def lines(self, workers: int) -> list[str]:
        """In words, for so many scenes at the same time."""
        hours = self.core_seconds / 3600
        # More workers than scenes are not started.
        at_work = max(1, min(workers, self.scenes))
        memory_gb = self.worker_bytes / 1e9
        with_workers = (
            "" if at_work == 1 else f", {_hours(hours / at_work)} with {at_work} workers on cores of their own"
        )
        counted = f"{_count(self.scenes, 'scene')}, {_count(self.keyframes, 'keyframe')}"
        return [
            f"{counted}, {self.megapixels:.0f} million pixels",
            f"time: {_hours(hours)} of one core{with_workers}",
            f"disk: about {_size(self.bytes)}; {_size(self.free_bytes)} are free",
            f"memory: about {memory_gb:.1f} GB a worker, {at_work * memory_gb:.1f} GB in all",
        ]


def estimate_run(recording: Recording, names: Sequence[str], cameras: Sequence[str], out: Path) -> RunEstimate:
    """Estimate from tables alone; images of some scenes stand for those of all.

    Raises:
        InputError: a scene that is looked at cannot be built.
    """
    keyframes = sum(recording.keyframe_count(name) for name in names)
    some = [names[i] for i in np.unique(np.linspace(0, len(names) - 1, _SAMPLES).astype(int))]
    sizes = []
    for name in some:
        scene = recording.scene(name, cameras=cameras, keyframes_only=True)
        pixels = sum(camera.width_px * camera.height_px for camera in scene.cameras)
        sizes.append(pixels / max(recording.keyframe_count(name), 1))
    megapixels = float(np.mean(sizes)) * keyframes / 1e6
    there = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    return RunEstimate(
        scenes=len(names),
        keyframes=keyframes,
        megapixels=megapixels,
        core_seconds=SECONDS_PER_MEGAPIXEL * megapixels,
        bytes=BYTES_PER_MEGAPIXEL * megapixels,
        free_bytes=shutil.disk_usage(there).free,
        worker_bytes=largest_bytes(recording, names)[0],
    )


def _hours(hours: float) -> str:
    if hours < 1 / 60:
        return "less than a minute"
    return f"about {hours:.1f} h" if hours >= 1 else f"about {60 * hours:.0f} min"


def _size(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 5e7 else f"{count / 1e6:.1f} MB"


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
