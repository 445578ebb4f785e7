"""How a lidar turned, from the order of a sweep's points in their file or from their times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.scene import Points

_TURN = 2 * np.pi
_MIN_RANGE_M = 3.0


@dataclass(frozen=True)
class Turn:
    """A turn as a sweep's points show it.

    Attributes:
        clockwise: seen from above.
        scan_start_azimuth_rad: azimuth in ego where it begins.
        period_s: its duration; stamp_fraction: where in it the stamp lies; None without a column of times.
    """

    clockwise: bool
    scan_start_azimuth_rad: float
    period_s: float | None = None
    stamp_fraction: float | None = None


def azimuth_in_ego(xyz_lidar: NDArray[np.float32], T_ego_lidar: NDArray[np.float64]) -> NDArray[np.float64]:
    """Direction of points (N,3) as seen from the lidar, in ego's azimuth (N,) rad: 0 ahead, left positive."""
    xy_ego = xyz_lidar.astype(np.float64) @ T_ego_lidar[:2, :3].T
    return np.arctan2(xy_ego[:, 1], xy_ego[:, 0])


def turn_from_times(points: Points, T_ego_lidar: NDArray[np.float64]) -> Turn | None:
    """The turn that the points' own times describe; None where they have none, or it is no turn."""
    far = np.linalg.norm(points.xyz_lidar, axis=1) > _MIN_RANGE_M
    if points.time_s is None or np.count_nonzero(far) < 100:
        return None
    time_s = points.time_s[far].astype(np.float64)
    azimuth = azimuth_in_ego(points.xyz_lidar[far], T_ego_lidar)
    begin, end = np.quantile(time_s, (0.001, 0.999))
    if end - begin < 1e-3:
        return None
    # Of all rates within reach the one at which every point sees the same phase.
    turns = np.linspace(0.8, 1.25, 181)
    share = (time_s - begin) / (end - begin)
    phases = {
        (way, turned): np.exp(1j * (azimuth - way * _TURN * turned * share)).mean()
        for way in (-1, 1)
        for turned in turns
    }
    (way, turned), best = max(phases.items(), key=lambda item: abs(item[1]))
    against = max(abs(phase) for (other, _), phase in phases.items() if other != way)
    if abs(best) < 0.9 or against > 0.6:
        return None
    period_s = (end - begin) / turned
    return Turn(way < 0, float(np.angle(best) % _TURN), float(period_s), float(-begin / period_s))


def turn_from_order(points: Points, T_ego_lidar: NDArray[np.float64]) -> Turn | None:
    """The turn in firing order, where a file keeps it: all lasers of a moment together, turning one way once round.

    A file that holds one laser's points after another's says nothing: KITTI's are then sorted against the turn.
    """
    changes = np.count_nonzero(np.diff(points.ring.astype(np.int32)))
    if changes < 0.3 * len(points.ring):
        return None
    azimuth = azimuth_in_ego(points.xyz_lidar, T_ego_lidar)
    far = np.linalg.norm(points.xyz_lidar, axis=1) > _MIN_RANGE_M
    starts: dict[bool, list[float]] = {True: [], False: []}
    for ring in np.unique(points.ring):
        turn = np.unwrap(azimuth[far & (points.ring == ring)])
        if len(turn) < 100:
            continue
        clockwise = bool(turn[-1] < turn[0])
        onward = (np.diff(turn) * (-1 if clockwise else 1) >= -1e-3).mean() > 0.9
        if onward and 0.8 * _TURN < abs(turn[0] - turn[-1]) < 1.05 * _TURN:
            starts[clockwise].append(float(turn[0]))
    clockwise = len(starts[True]) >= len(starts[False])
    found, against = np.array(starts[clockwise]), len(starts[not clockwise])
    if len(found) < 5 or against > 0.1 * len(found):
        return None
    # Rings are staggered by a few degrees; the earliest start is the cut. A high quantile forgives one bad ring.
    reference = found[0]
    unwrapped = reference + (found - reference + np.pi) % _TURN - np.pi
    return Turn(clockwise, float(np.quantile(unwrapped, 0.75 if clockwise else 0.25) % _TURN))
