"""Each lidar's own ring gap, where several measure one scene."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.accumulation.render.ring_gap import max_gap_rad

LEAST_DEG = 1.33


def elevations(*degrees: np.ndarray) -> np.ndarray:
    out = np.full((len(degrees), max(map(len, degrees))), np.inf, dtype=np.float32)
    for row, of_lidar in zip(out, degrees, strict=True):
        row[: len(of_lidar)] = np.deg2rad(of_lidar)
    return out


def test_each_lidar_has_its_own() -> None:
    sixteen, hundred = np.linspace(-15, 15, 16), np.linspace(-22.5, 22.5, 128)
    gaps_deg = np.rad2deg(max_gap_rad(elevations(sixteen, hundred), LEAST_DEG))
    np.testing.assert_allclose(gaps_deg, [2.0, LEAST_DEG], rtol=1e-4)


def test_a_few_far_outer_rings_do_not_set_it() -> None:
    """As of a VLP-32C: a third of a degree about the horizon, the lowest two rings nine degrees apart."""
    beams = np.concatenate([[-25.0, -15.6, -11.3], np.arange(-9, 4.0), np.arange(4, 9.1, 0.333)])
    assert np.rad2deg(max_gap_rad(elevations(beams), LEAST_DEG)[0]) < 2.0


@pytest.mark.parametrize("beams", [[], [0.0]])
def test_a_lidar_without_two_rings_has_the_least(beams: list[float]) -> None:
    assert np.rad2deg(max_gap_rad(elevations(np.array(beams)), LEAST_DEG)[0]) == pytest.approx(LEAST_DEG)
