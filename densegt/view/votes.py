"""Motion votes on the page: the scan of each keyframe, point by point, by how likely the network says it moves."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.timing import EgoPath, point_times, to_global
from densegt.datasets.scene import Scene, Sweep
from densegt.depth.point_votes import STEPS, read_votes
from densegt.errors import InputError

# Points that are said to move with at least this probability are all shown.
LIKELY = 0.2


class ShownVotes(NamedTuple):
    """Votes on one keyframe's scan.

    Attributes:
        xyz: (N,3) float32 m in global minus origin; moving: (N,) uint8, 254 x the probability of moving.
    """

    xyz: NDArray[np.float32]
    moving: NDArray[np.uint8]


def votes_file(folder: Path, scene: str) -> Path:
    """A scene's file in a store of votes.

    Raises:
        InputError: there is none.
    """
    path = folder / f"{scene}.h5"
    if not path.is_file():
        raise InputError(f"{path}: no such file; densegt predict-motion --scene {scene} --out {folder}")
    return path


def keyframe_votes(
    scene: Scene, path: Path, keyframes_us: NDArray[np.int64], origin_global_m: NDArray[np.float64], *, max_points: int
) -> list[ShownVotes]:
    """Votes on the sweeps nearest in time to each keyframe (M), one of each lidar.

    Args:
        path: the scene's file of votes.
        max_points: of each keyframe's points that hardly move, at most so many.

    Raises:
        InputError: a sweep cannot be read, or has no votes.
    """
    ego = EgoPath.of(scene)
    return [_of(scene, path, ego, int(t), origin_global_m, max_points) for t in keyframes_us]


def nearest_sweeps(scene: Scene, t_us: int) -> list[Sweep]:
    """The sweep nearest to a time, of each lidar."""
    channels = dict.fromkeys(sweep.lidar.channel for sweep in scene.sweeps)
    return [
        min((s for s in scene.sweeps if s.lidar.channel == c), key=lambda s: abs(s.timestamp_us - t_us))
        for c in channels
    ]


def _of(
    scene: Scene, path: Path, ego: EgoPath, t_us: int, origin_m: NDArray[np.float64], max_points: int
) -> ShownVotes:
    parts = [_of_sweep(scene, path, ego, sweep, origin_m) for sweep in nearest_sweeps(scene, t_us)]
    xyz, moving = zip(*parts, strict=True)
    return thinned(ShownVotes(np.concatenate(xyz), np.concatenate(moving)), max_points)


def _of_sweep(
    scene: Scene, path: Path, ego: EgoPath, sweep: Sweep, origin_m: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    points = scene.read_points(sweep)
    said = read_votes(path, sweep.lidar.channel, sweep.timestamp_us, len(points.ring)).moving
    rows = np.flatnonzero(np.isfinite(said))
    points = points.take(rows)
    if not len(rows):
        return np.zeros((0, 3), np.float32), np.zeros(0, np.uint8)
    xyz = to_global(points.xyz_lidar, sweep, point_times(points, sweep), ego) - origin_m
    return xyz.astype(np.float32), np.rint(STEPS * said[rows]).astype(np.uint8)


def thinned(votes: ShownVotes, most: int) -> ShownVotes:
    """All that may move, and of the rest at most so many, evenly; the likeliest last, to be drawn over the others."""
    likely = votes.moving >= LIKELY * STEPS
    rest = np.flatnonzero(~likely)
    if len(rest) > most:
        rest = rest[np.linspace(0, len(rest) - 1, most).astype(np.intp)]
    kept = np.concatenate([rest, np.flatnonzero(likely)])
    kept = kept[np.argsort(votes.moving[kept], kind="stable")]
    return ShownVotes(votes.xyz[kept], votes.moving[kept])


def colours() -> list[list[int]]:
    """RGB for each step of the vote, 0 ... 254: blue stands, pale is undecided, red moves."""
    from matplotlib import colormaps

    rgba: NDArray[Any] = colormaps["coolwarm"](np.linspace(0, 1, STEPS + 1))
    return np.rint(255 * rgba[:, :3]).astype(int).tolist()  # type: ignore[no-any-return]
