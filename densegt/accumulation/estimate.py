"""What a run will take before it begins: time, disk and memory, by arithmetic from what a keyframe costs."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from densegt.batch.memory import largest_bytes
from densegt.datasets.recording import Recording

# Of one core: reading and preparing a sweep, going through a sweep's points for an image, a million pixels of depth.
# `benchmarks/speed/budget.py` measures them.
SECONDS_PER_SWEEP = 0.06
SECONDS_PER_SWEEP_AND_IMAGE = 0.00035
SECONDS_PER_MEGAPIXEL = 0.19
# Of an image of so many pixels; smaller ones take more a pixel, for their neighbours differ more.
BYTES_PER_IMAGE, IMAGE_MEGAPIXELS, GROWTH = 1.88e6, 1.44, 2 / 3
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
    # Of a keyframe: millions of pixels, seconds, bytes.
    megapixels, seconds, size = np.mean([_of_a_keyframe(recording, name, cameras) for name in some], axis=0) * keyframes
    there = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    return RunEstimate(
        scenes=len(names),
        keyframes=keyframes,
        megapixels=float(megapixels),
        core_seconds=float(seconds),
        bytes=float(size),
        free_bytes=shutil.disk_usage(there).free,
        worker_bytes=largest_bytes(recording, names)[0],
    )


def _of_a_keyframe(recording: Recording, name: str, cameras: Sequence[str]) -> tuple[float, float, float]:
    """Millions of pixels, seconds and bytes that a keyframe of a scene takes, on average."""
    chosen = recording.scene(name, cameras=cameras, keyframes_only=True).cameras
    images = chosen if not cameras else recording.scene(name, keyframes_only=True).cameras
    sweeps = recording.steps(name) - len(images)
    megapixels = [camera.width_px * camera.height_px / 1e6 for camera in chosen]
    seconds = SECONDS_PER_SWEEP * sweeps + SECONDS_PER_SWEEP_AND_IMAGE * sweeps * len(chosen)
    seconds += SECONDS_PER_MEGAPIXEL * sum(megapixels)
    size = sum(BYTES_PER_IMAGE * (each / IMAGE_MEGAPIXELS) ** GROWTH for each in megapixels)
    keyframes = max(recording.keyframe_count(name), 1)
    return sum(megapixels) / keyframes, seconds / keyframes, size / keyframes


def _hours(hours: float) -> str:
    if hours < 1 / 60:
        return "less than a minute"
    return f"about {hours:.1f} h" if hours >= 1 else f"about {60 * hours:.0f} min"


def _size(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 5e7 else f"{count / 1e6:.1f} MB"


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
