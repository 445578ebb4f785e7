"""People and two-wheelers: a usual size about their points, by how fast they go."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from densegt.accumulation.motion.tracks import ContinuousTrack
from densegt.accumulation.surfels import Surfels
from densegt.autolabel.people import FIGURES, SIZES_LWH_M, person_candidate
from densegt.geometry import se3


def walked(speed_mps: float, size_lwh_m: tuple[float, float, float]) -> ContinuousTrack:
    T = np.stack([se3.from_yaw(0.3, [speed_mps * t, 5.0, size_lwh_m[2] / 2]) for t in (0.0, 1.0)])
    knots_us = np.array([0, 1_000_000])
    return ContinuousTrack("a", "human", np.array(size_lwh_m), True, knots_us, T, 0.3, 1e3)


@pytest.mark.parametrize(
    ("speed_mps", "length_m", "category"),
    [
        (1.4, 0.6, "human.pedestrian.adult"),
        (4.0, 0.6, "vehicle.bicycle"),
        (1.4, 1.7, "vehicle.bicycle"),
        (11.0, 1.9, "vehicle.motorcycle"),
    ],
)
def test_who_is_fast_or_long_rides(speed_mps: float, length_m: float, category: str) -> None:
    rng = np.random.default_rng(0)
    size = (length_m, 0.5, 1.7)
    xyz = (rng.uniform(-0.5, 0.5, (80, 3)) * size).astype(np.float32)
    tangents = np.zeros((80, 2, 3), np.float32)
    surfels = Surfels(
        xyz, tangents, np.zeros((80, 2), np.float32), np.zeros(80, np.float32), np.arange(80, dtype=np.int32)
    )
    measured = SimpleNamespace(origin_global_m=np.zeros(3))
    evidence: Any = SimpleNamespace(measured=measured, range_of=lambda xy: 10.0)
    found = person_candidate(evidence, walked(speed_mps, size), surfels)
    assert found.category == category
    assert tuple(found.box.size_lwh_m[:2]) == SIZES_LWH_M[category][:2]
    assert abs(found.box.size_lwh_m[2] - 1.7) < 0.15
    assert len(found.row) == len(FIGURES)
    T = found.box.poses_at(np.array([500_000.0]))[0]
    assert np.hypot(T[0, 3] - speed_mps / 2, T[1, 3] - 5.0) < 0.2
    # It stands on the ground.
    assert T[2, 3] == pytest.approx(found.box.size_lwh_m[2] / 2)
