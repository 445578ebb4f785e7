"""What shows through gaps: against the twin, and on images small enough to read."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.kernels.enclosed import enclosed

from ..twins import twin_of

INF = np.inf


def both(depth_m: np.ndarray, radius_px: int, relative: float = 0.03, absolute_m: float = 0.1) -> np.ndarray:
    """The kernel's answer, which must be the twin's; `out` begins wrong everywhere."""
    got, wanted = np.ones(depth_m.shape, bool), np.ones(depth_m.shape, bool)
    enclosed(depth_m.astype(np.float32), radius_px, relative, absolute_m, got)
    twin_of(enclosed)(depth_m.astype(np.float32), radius_px, relative, absolute_m, wanted)
    np.testing.assert_array_equal(got, wanted)
    return got


@pytest.mark.parametrize("radius_px", [0, 1, 3, 50])
@pytest.mark.parametrize("seed", range(3))
def test_equals_twin(seed: int, radius_px: int) -> None:
    rng = np.random.default_rng(seed)
    depth = np.where(rng.random((23, 31)) < 0.6, rng.choice([5.0, 5.1, 8.0, 20.0, 20.5], (23, 31)), INF)
    depth[rng.random((23, 31)) < 0.02] = np.nan
    marked = both(depth, radius_px)
    assert not marked[~np.isfinite(depth)].any()
    if radius_px == 0:
        assert not marked.any()
    if radius_px == 3:
        assert 0.05 < marked.mean() < 0.5


@pytest.mark.parametrize("shape", [(0, 0), (1, 1), (1, 9), (9, 1), (2, 2)])
def test_images_too_small_to_enclose_anything(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    assert not both(rng.choice([3.0, 30.0], shape), 4).any()


@pytest.mark.parametrize(("depth_m", "hidden"), [(10.309, False), (10.4, False), (10.42, True), (99.0, True)])
def test_nearer_is_nearer_by_more_than_the_tolerance(depth_m: float, hidden: bool) -> None:
    """A frame at 10 m: what lies within is hidden from (10 + 0.1) / 0.97 = 10.412 m on."""
    depth = np.full((3, 3), 10.0)
    depth[1, 1] = depth_m
    assert both(depth, 1)[1, 1] == hidden


def test_a_gap_between_two_scan_lines_is_enclosed_at_every_column_but_the_outermost() -> None:
    """Rows 1 and 4 are one near object, scanned by two rings; the wall shows in between."""
    depth = np.full((6, 12), 30.0)
    depth[[1, 4], 2:10] = 8.0
    marked = both(depth, 3)
    wanted = np.zeros((6, 12), bool)
    # Across, and along both diagonals: row 2 sees row 1 one step and row 4 two steps away.
    wanted[2, 4:8] = wanted[3, 4:8] = True
    np.testing.assert_array_equal(marked, wanted)


def test_background_beside_an_outline_is_not_enclosed() -> None:
    """Whatever the outline's slope: a half plane never has near surface on both sides of a pixel outside it."""
    v, u = np.mgrid[0:20, 0:20]
    for slope in (-3.0, -1.0, -0.4, 0.0, 0.7, 1.0, 5.0):
        depth = np.where(v - 10 > slope * (u - 10), 6.0, 40.0)
        assert not both(depth, 6).any()


def test_the_radius_is_where_it_ends() -> None:
    depth = np.full((9, 9), 50.0)
    depth[[0, 8], :] = depth[:, [0, 8]] = 5.0
    assert both(depth, 4)[4, 4]
    assert not both(depth, 3)[4, 4]


def test_nearer_on_two_lines_only_is_a_pole_or_a_crack_and_stays() -> None:
    depth = np.full((5, 5), 50.0)
    depth[2, [0, 4]] = depth[[0, 4], 2] = 5.0
    assert not both(depth, 2)[2, 2]
    depth[0, 0] = depth[4, 4] = 5.0
    assert both(depth, 2)[2, 2]
