"""Pinholes: against the twin, and on holes small enough to read."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.kernels.close_pinholes import close_pinholes
from densegt.kernels.upsample import DepthLayers

from ..twins import twin_of

SURFACE = 4


def closed(depth_m: np.ndarray, max_area: int = 12, tolerance: float = 0.03) -> DepthLayers:
    """The kernel's layers, which must be the twin's."""
    known = depth_m > 0
    got, wanted = (
        DepthLayers(
            depth_m.astype(np.float32),
            known.astype(np.uint8),
            rng.normal(size=known.shape).astype(np.float32),
            rng.random(known.shape).astype(np.float32),
        )
        for rng in (np.random.default_rng(0), np.random.default_rng(0))
    )
    close_pinholes(max_area, tolerance, SURFACE, got)
    twin_of(close_pinholes)(max_area, tolerance, SURFACE, wanted)
    for mine, twins in zip(got, wanted, strict=True):
        np.testing.assert_allclose(mine, twins, rtol=1e-4)
    return got


def plane() -> np.ndarray:
    """Ground at a grazing angle: from 40 to 10 m within 16 rows."""
    v, u = np.mgrid[0:16, 0:20].astype(float)
    return 1 / (0.025 + 0.005 * v + 0.0005 * u)


@pytest.mark.parametrize("seed", range(4))
def test_equals_twin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    depth = np.where(rng.random((24, 30)) < 0.5, 10.0, 10.2) + rng.normal(0, 0.1, (24, 30))
    depth[:, 20:] = 30.0
    depth[rng.random((24, 30)) < 0.25] = 0
    depth[rng.random((24, 30)) < 0.05] = np.nan
    out = closed(depth)
    filled = out.source == SURFACE
    assert 0.3 < filled[~(depth > 0)].mean() < 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (3, 3)])
def test_nothing_known(shape: tuple[int, int]) -> None:
    assert not closed(np.zeros(shape)).source.any()


@pytest.mark.parametrize("max_area", [0, 1, 4, 40])
def test_winding_holes_equal_twin(max_area: int) -> None:
    depth = plane()
    depth[np.random.default_rng(max_area).random(depth.shape) < 0.42] = 0
    out = closed(depth, max_area)
    assert (out.source == SURFACE).any() == (max_area > 0)


def test_holes_that_touch_at_a_corner_are_no_rims_of_one_another() -> None:
    depth = plane()
    depth[4, 4] = depth[5, 5] = 0
    np.testing.assert_allclose(closed(depth).depth_m, plane(), rtol=1e-5)


def test_holes_of_a_plane_get_the_plane() -> None:
    depth = plane()
    holes = np.zeros(depth.shape, bool)
    holes[3:6, 4:8] = holes[0, 0] = holes[15, 10:14] = holes[9, 19] = True
    out = closed(np.where(holes, 0, depth))
    np.testing.assert_array_equal(out.source == SURFACE, holes)
    np.testing.assert_allclose(out.depth_m, depth, rtol=1e-5)


def test_a_hole_of_one_pixel_too_many_stays() -> None:
    depth = plane()
    depth[3:6, 4:8] = depth[6, 4] = 0
    assert (closed(depth).depth_m == 0).sum() == 13


def test_a_hole_on_an_outline_stays() -> None:
    depth = plane()
    depth[:, 6:] = 5.0
    depth[4:6, 5:7] = 0
    assert (closed(depth).depth_m == 0).sum() == 4


def test_the_rims_least_confidence() -> None:
    depth = plane()
    depth[7, 7] = 0
    out = closed(depth)
    around = out.confidence[6:9, 6:9].copy()
    around[1, 1] = 1
    assert out.confidence[7, 7] == around.min()
