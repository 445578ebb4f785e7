"""The ground's surface, from few measurements and with much standing on it."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.completion.ground import FARTHEST_M, ground

HEIGHT_PX, WIDTH_PX = 90, 160
K = np.array([[130.0, 0, 80], [0, 130.0, 45], [0, 0, 1]])


def surface(*, height_m=1.6, pitch=0.03, roll=0.02, bend=0.0):
    """(H,W) inverse depth of a road; `bend` as the module has it."""
    v = ((np.arange(HEIGHT_PX) - K[1, 2]) / K[1, 1])[:, None]
    u = (np.arange(WIDTH_PX) - K[0, 2]) / K[0, 0]
    return (v + pitch + roll * u) / height_m + bend * np.minimum(v, 0.3) ** 2


def scanned(inverse, rng, *, every=6, noise=0.005):
    """Some rows of it below 60 m."""
    depth = np.where(inverse > 1 / 60, 1 / np.maximum(inverse, 1 / 60), 0) * rng.normal(1, noise, inverse.shape)
    kept = np.zeros(inverse.shape, bool)
    kept[::every, ::2] = True
    return np.where(kept, depth, 0).astype(np.float32)


@pytest.mark.parametrize("bend", [0.0, 0.3])
@pytest.mark.parametrize("cover", [0.0, 0.5])
def test_it_goes_on_behind_what_stands_on_it(bend, cover):
    rng = np.random.default_rng(0)
    inverse = surface(bend=bend)
    sparse = scanned(inverse, rng)
    # A wall in a part of the columns, nearer than the ground.
    wall = np.arange(WIDTH_PX) < cover * WIDTH_PX
    sparse = np.where((sparse > 7) & wall, np.float32(7), sparse)
    found = ground(sparse, K)
    beyond = (inverse > 1 / 40) & (inverse < 1 / 3)
    assert np.abs(found[beyond] * inverse[beyond] - 1).max() < 0.1
    assert np.median(np.abs(found[beyond] * inverse[beyond] - 1)) < 0.02
    assert not found[inverse < 0.7 / FARTHEST_M].any()


def test_without_a_camera_the_lens_is_a_usual_one():
    usual = K * [[128 / 130, 1, 1], [1, 128 / 130, 1], [1, 1, 1]]
    sparse = scanned(surface(), np.random.default_rng(0))
    np.testing.assert_array_equal(ground(sparse, None), ground(sparse, usual))


@pytest.mark.parametrize("shape", [(0, 0), (1, 1), (0, 9), (30, 40)])
def test_nothing_measured(shape):
    assert not ground(np.zeros(shape, np.float32), None).any()


def test_what_is_no_ground():
    """A wall at one distance, a ceiling, points all in one column, noise."""
    rng = np.random.default_rng(0)
    wall = np.full((HEIGHT_PX, WIDTH_PX), 8, np.float32)
    assert not ground(wall, K).any()
    assert not ground(scanned(surface(), rng)[::-1], K).any()
    column = np.zeros_like(wall)
    column[:, 40] = 8
    for depth in (column, rng.uniform(1, 60, wall.shape).astype(np.float32)):
        assert np.isfinite(ground(depth, K)).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -3.0])
def test_what_is_no_depth_is_unknown(value):
    sparse = scanned(surface(), np.random.default_rng(0))
    np.testing.assert_array_equal(ground(np.where(sparse > 0, sparse, np.float32(value)), K), ground(sparse, K))
