"""Do points lie in their boxes, and do boxes move along their length?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from densegt.datasets.sanity.finding import SanityFinding
from densegt.datasets.sanity.sample import SceneSample
from densegt.datasets.scene import ObjectKind, Points, Scene, Sweep, Track
from densegt.geometry import se3

Float64 = NDArray[np.float64]
CHECK = "boxes"
# Boxes looked for: of vehicles, within this range of the lidar, as many in all.
WITHIN_M, FAR_M, MOST, FEWEST = 35.0, 200.0, 60, 8
LENGTHS_M = (0.2, 30.0)


def check_boxes(sample: SceneSample) -> Iterator[SanityFinding]:
    """Points in vehicles' boxes as they are, beside the same boxes mistaken in usual ways."""
    tracks = [t for t in sample.scene.tracks if t.kind in (ObjectKind.RIGID_VEHICLE, ObjectKind.TRAILER)]
    if not tracks:
        return
    lengths = np.array([track.size_lwh_m for track in tracks])
    if not LENGTHS_M[0] < float(np.median(lengths)) < LENGTHS_M[1]:
        facts = f"vehicles' boxes are {np.median(lengths, axis=0).round(2).tolist()} long, wide and high"
        yield SanityFinding(CHECK, "", facts, "metres are wanted")
        return
    away_m = _away_m(sample.scene, tracks)
    if away_m > FAR_M:
        facts = f"vehicles' boxes are {away_m:.0f} m away from the car"
        yield SanityFinding(CHECK, "", facts, "are they in the global frame, and in metres?")
        return
    counts = _counts(sample, tracks)
    if len(counts) >= FEWEST:
        yield from _contents(np.array(counts))
    yield from _headings(tracks)


def _away_m(scene: Scene, tracks: list[Track]) -> float:
    """Median distance from the car to the vehicles' boxes."""
    stamps = np.array([sweep.timestamp_us for sweep in scene.sweeps])
    car = np.array([sweep.T_global_ego[:3, 3] for sweep in scene.sweeps])
    away = [
        np.linalg.norm(T[:3, 3] - car[np.argmin(np.abs(stamps - t))])
        for track in tracks for t, T in zip(track.timestamps_us, track.T_global_box, strict=True)
    ]  # fmt: skip
    return float(np.median(away))


def _counts(sample: SceneSample, tracks: list[Track]) -> list[list[int]]:
    """Points in each box as it is, and with each mistake taken back."""
    read: dict[str, tuple[Sweep, Points]] = {}
    for pair in sample.pairs:
        read[pair.first.token], read[pair.second.token] = (
            (pair.first, pair.first_points), (pair.second, pair.second_points),
        )  # fmt: skip
    for _, sweep, points in sample.images:
        read[sweep.token] = (sweep, points)
    counts: list[list[int]] = []
    for sweep, points in read.values():
        xyz = se3.apply(sweep.T_global_lidar, points.xyz_lidar)
        tree = cKDTree(xyz)
        for track in tracks:
            k = int(np.argmin(np.abs(track.timestamps_us - sweep.timestamp_us)))
            T = track.T_global_box[k]
            near = np.linalg.norm(T[:3, 3] - sweep.T_global_lidar[:3, 3]) < WITHIN_M
            if near and abs(int(track.timestamps_us[k]) - sweep.timestamp_us) < 60_000 and len(counts) < MOST:
                reach = float(np.linalg.norm(track.size_lwh_m)) + 1.0
                around = xyz[tree.query_ball_point(T[:3, 3], reach)]
                counts.append([_inside(around, T_, size) for T_, size in _mistakes(T, track.size_lwh_m)])
    return counts


MISTAKES = (
    "sizes seem to stand in another order: length, width, height are wanted",
    "headings seem to be off by a quarter turn",
    "centres seem to be at the bottom (or too low): the middle is wanted",
    "centres seem to be too high: the middle is wanted",
)


def _mistakes(T: Float64, size: Float64) -> Iterator[tuple[Float64, Float64]]:
    """The box as it is, then as it would be if each of MISTAKES had been made and were taken back."""
    yield T, size
    yield T, size[[1, 0, 2]]
    quarter = np.array([[0.0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    yield T @ quarter, size
    for up in (0.5, -0.5):
        moved = T.copy()
        moved[:3, 3] += T[:3, 2] * size[2] * up
        yield moved, size


def _inside(xyz: Float64, T_global_box: Float64, size_lwh_m: Float64) -> int:
    local = se3.apply(se3.inverse(T_global_box), xyz) if len(xyz) else np.zeros((0, 3))
    # The lowest slice may be road.
    low = np.array([0.0, 0.0, 0.15])
    inside = (np.abs(local) <= size_lwh_m / 2 + 0.1).all(axis=1) & (local[:, 2] > -size_lwh_m[2] / 2 + low[2])
    return int(inside.sum())


def _contents(counts: NDArray[np.int_]) -> Iterator[SanityFinding]:
    seen = counts[counts.max(axis=1) >= 5]
    if len(counts) >= 2 * FEWEST and len(seen) < 0.1 * len(counts):
        facts = f"of {len(counts)} vehicles' boxes within {WITHIN_M:.0f} m only {len(seen)} hold 5 points"
        yield SanityFinding(CHECK, "", facts, "are they in the global frame, in metres, and at the right time?")
        return
    if len(seen) < FEWEST:
        return
    total = seen.sum(axis=0)
    better = int(np.argmax(total))
    if better and total[better] > 1.3 * total[0]:
        facts = f"{total[0]} points lie in {len(seen)} vehicles' boxes, {total[better]} if corrected"
        yield SanityFinding(CHECK, "", facts, MISTAKES[better - 1])


def _headings(tracks: list[Track]) -> Iterator[SanityFinding]:
    """Vehicles drive along their length."""
    ways = [t.T_global_box[1:, :3, 3] - t.T_global_box[:-1, :3, 3] for t in tracks if len(t.timestamps_us) > 1]
    ahead = [t.T_global_box[:-1, :3, 0] for t in tracks if len(t.timestamps_us) > 1]
    if not ways:
        return
    way, axis = np.concatenate(ways), np.concatenate(ahead)
    length = np.linalg.norm(way, axis=1)
    moving = length > 1.0
    if moving.sum() < FEWEST:
        return
    along = np.abs(np.einsum("ni,ni->n", way[moving], axis[moving])) / length[moving]
    if np.median(along) < 0.7:
        facts = f"moving vehicles drive {np.rad2deg(np.arccos(np.median(along))):.0f} degrees across their length"
        yield SanityFinding(CHECK, "", facts, "check headings, the order of quaternions (w,x,y,z) and the boxes' frame")
