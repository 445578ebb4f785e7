"""A few sweeps and images of a scene: what the checks look at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.scene import Camera, Points, Scene, Sweep
from densegt.geometry import se3

# Pairs of sweeps this far apart in time: long enough for a slow car to move by more than the noise.
APART_S = 0.5
PAIRS, IMAGES = 3, 18
# A sweep's points that take part, evenly drawn.
MOST_POINTS = 20_000


@dataclass(frozen=True)
class SweepPair:
    """Two sweeps of one lidar, some tenths of a second apart, and the one after the first, with their points."""

    first: Sweep
    after: Sweep
    second: Sweep
    first_points: Points
    after_points: Points
    second_points: Points

    @property
    def seconds(self) -> float:
        """Time from the first stamp to the second."""
        return (self.second.timestamp_us - self.first.timestamp_us) * 1e-6

    @property
    def T_first_second(self) -> NDArray[np.float64]:
        """What the recorded poses say: second lidar frame to first, (4,4)."""
        return se3.inverse(self.first.T_global_lidar) @ self.second.T_global_lidar


@dataclass(frozen=True)
class SceneSample:
    """What the checks look at.

    Attributes:
        pairs: spread over the scene; empty where there is one sweep only.
        single: a sweep with its points of each lidar.
        images: keyframe images spread over scene and cameras, with the sweep nearest in time.
    """

    scene: Scene
    pairs: tuple[SweepPair, ...]
    single: tuple[tuple[Sweep, Points], ...]
    images: tuple[tuple[Camera, Sweep, Points], ...]


def draw_sample(scene: Scene, read_points: Callable[[Sweep], Points] | None = None) -> SceneSample:
    """The pairs and images of a scene; each sweep is read at most once.

    Raises:
        InputError: a sweep cannot be read.
    """
    read = read_points or scene.read_points
    known: dict[str, Points] = {}

    def points_of(sweep: Sweep) -> Points:
        if sweep.token not in known:
            points = read(sweep)
            step = max(1, len(points.ring) // MOST_POINTS)
            known[sweep.token] = points.take(np.arange(0, len(points.ring), step))
        return known[sweep.token]

    main = [sweep for sweep in scene.sweeps if sweep.lidar is scene.sweeps[0].lidar]
    pairs = [SweepPair(*trio, *map(points_of, trio)) for trio in _trios(main)]
    middle = len(main) // 2
    single = [main[middle]]
    single += [
        next(s for s in scene.sweeps if s.lidar is lidar) for lidar in scene.lidars if lidar is not main[0].lidar
    ]
    images = [(camera, sweep, points_of(sweep)) for camera, sweep in _images(scene, main)]
    return SceneSample(scene, tuple(pairs), tuple((s, points_of(s)) for s in single), tuple(images))


def _trios(sweeps: list[Sweep]) -> list[tuple[Sweep, Sweep, Sweep]]:
    """A sweep, the next, and one about APART_S later, evenly over the scene; none where stamps make no sense."""
    stamps = np.array([sweep.timestamp_us for sweep in sweeps], dtype=np.float64)
    steps = np.diff(stamps)
    if not len(steps) or np.median(steps) <= 0:
        return []
    apart = int(np.clip(round(APART_S * 1e6 / np.median(steps)), 1, max(len(sweeps) - 1, 1)))
    starts = np.unique(np.linspace(0, len(sweeps) - 1 - apart, PAIRS).round().astype(int))
    return [(sweeps[i], sweeps[i + 1], sweeps[i + apart]) for i in starts.tolist() if i >= 0]


def _images(scene: Scene, sweeps: list[Sweep]) -> list[tuple[Camera, Sweep]]:
    """Some keyframe images, every camera in turn, each with the nearest sweep in time."""
    by_channel: dict[str, list[Camera]] = {}
    for camera in scene.cameras:
        by_channel.setdefault(camera.channel, []).append(camera)
    stamps = np.array([sweep.timestamp_us for sweep in sweeps])
    each = max(1, -(-IMAGES // max(len(by_channel), 1)))
    chosen = []
    for cameras in by_channel.values():
        rows = np.unique(np.linspace(0, len(cameras) - 1, each).round().astype(int))
        chosen += [cameras[row] for row in rows.tolist()]
    return [(c, sweeps[int(np.argmin(np.abs(stamps - c.timestamp_us)))]) for c in chosen]
