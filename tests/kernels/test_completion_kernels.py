"""The kernels of completion against their twins, and on images small enough to read."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.kernels.departure import departure
from densegt.kernels.expected_error import expected_error
from densegt.kernels.farthest_around import farthest_around
from densegt.kernels.fill_from_nearest import FilledDepth, fill_from_nearest
from densegt.kernels.invert import invert
from densegt.kernels.nearest_measured import NOWHERE, NearestKeys, nearest_above, nearest_below
from densegt.kernels.open_sky import open_sky
from densegt.kernels.slopes_across import slopes_across

from ..twins import twin_of

SHAPES = [(1, 1), (1, 9), (9, 1), (2, 2), (17, 23)]
SHARES = [0.0, 0.03, 0.3, 1.0]


def image(rng, shape):
    """Few grey levels, so that distances tie."""
    return rng.choice([10, 11, 60, 255, 0], shape).astype(np.uint8)


def measured(rng, shape, share):
    """Inverse depth of slanted planes with a jump between, at some of the pixels."""
    v, u = np.mgrid[: shape[0], : shape[1]]
    surface = np.where(u < shape[1] / 2, 0.05 + 0.004 * v, 0.2 + 0.002 * u) * rng.choice([1, 1, 1, 0.97, 3], shape)
    return np.where(rng.random(shape) < share, surface, 0).astype(np.float32)


def both(kernel, *arguments, outs):
    """The kernel's outputs and its twin's; they begin wrong everywhere."""
    answers = []
    for function in (kernel, twin_of(kernel)):
        mine = [np.full(shape, 7, dtype) for shape, dtype in outs]
        function(*arguments, *mine)
        answers.append(mine)
    return answers


def keys_of(guide, inverse):
    """above, below, left, right by the twins."""
    out = []
    for g, w in ((guide, inverse), (guide.T, inverse.T)):
        for twin in (twin_of(nearest_above), twin_of(nearest_below)):
            out.append(np.empty(g.shape, np.int64))
            twin(g, w, out[-1])
    return NearestKeys(*out)


@pytest.mark.parametrize("kernel", [nearest_above, nearest_below])
@pytest.mark.parametrize("shape", [(0, 0), *SHAPES])
@pytest.mark.parametrize("share", SHARES)
def test_nearest_equals_twin(kernel, shape, share):
    rng = np.random.default_rng(1)
    (got,), (wanted,) = both(kernel, image(rng, shape), measured(rng, shape, share), outs=[(shape, np.int64)])
    np.testing.assert_array_equal(got >= NOWHERE, wanted >= NOWHERE)
    np.testing.assert_array_equal(got[got < NOWHERE], wanted[wanted < NOWHERE])


def test_an_edge_of_the_image_is_far():
    """A dark post on bright ground: its pixels belong to the post's far end, not to the ground beside it."""
    guide = np.full((12, 9), 200, np.uint8)
    guide[:, 4] = 20
    inverse = np.zeros((12, 9), np.float32)
    inverse[0, 4] = 0.5
    inverse[9, [2, 3, 5, 6]] = 0.1
    keys = np.empty(guide.shape, np.int64)
    nearest_above(guide, inverse, keys)
    assert ((keys[:, 4] >> 16) & 0xFFFF == 0).all()
    assert (keys[9:, [2, 3, 5, 6]] >> 16 & 0xFFFF == 9).all()


@pytest.mark.parametrize("shape", [(0, 0), *SHAPES])
def test_invert_equals_twin(shape):
    rng = np.random.default_rng(2)
    values = rng.choice([0, -1, np.nan, np.inf, -np.inf, 1e-9, 0.25, 0.2499, 3.7, 255.9], shape).astype(np.float32)
    (got,), (wanted,) = both(invert, values, 0.25, outs=[(shape, np.float32)])
    np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("shape", [(0, 0), *SHAPES])
@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("reach_px", [1, 5])
def test_slopes_equal_twin(shape, share, reach_px):
    inverse = measured(np.random.default_rng(3), shape, share)
    (got,), (wanted,) = both(slopes_across, inverse, reach_px, 0.1, outs=[(shape, np.float32)])
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-9)
    assert share != 0.3 or shape != (17, 23) or (got != 0).any()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("seed", range(4))
def test_fill_equals_twin(shape, share, seed):
    rng = np.random.default_rng(seed)
    guide, inverse = image(rng, shape), measured(rng, shape, share)
    slope = np.empty(shape, np.float32)
    twin_of(slopes_across)(inverse, 12, 0.1, slope)
    sky = rng.random(shape) < 0.1
    got, wanted = (FilledDepth(*(np.full(shape, 7, np.float32) for _ in range(3))) for _ in range(2))
    for fill, out in ((fill_from_nearest, got), (twin_of(fill_from_nearest), wanted)):
        fill(inverse, slope, keys_of(guide, inverse), sky, 0.05, 0.1, out)
    for mine, twins in zip(got, wanted, strict=True):
        np.testing.assert_allclose(mine, twins, rtol=2e-4, atol=2e-5)
    filled, spread, reach = got
    np.testing.assert_array_equal(filled[inverse > 0], inverse[inverse > 0])
    assert not filled[sky & (inverse == 0)].any()
    if share > 0 and (inverse > 0).any():
        assert (filled[~sky] > 0).all(), "one measured pixel anywhere answers everything but sky"
    if shape == (17, 23) and share == 0.03:
        assert (spread > 0).any()
        assert (reach > 1).any()


@pytest.mark.parametrize("shape", [(0, 0), *SHAPES, (70, 40)])
@pytest.mark.parametrize("share", SHARES)
def test_farthest_around_equals_twin(shape, share):
    rng = np.random.default_rng(2)
    guide, inverse = image(rng, shape), measured(rng, shape, share)
    arguments = (inverse, keys_of(guide, inverse))
    (got,), (wanted,) = both(farthest_around, *arguments, outs=[(shape, np.float32)])
    np.testing.assert_array_equal(got, wanted)
    assert not got[inverse > 0].any()


@pytest.mark.parametrize("shape", [(0, 0), *SHAPES])
@pytest.mark.parametrize("seed", range(4))
def test_open_sky_equals_twin(shape, seed):
    rng = np.random.default_rng(seed)
    picture = rng.choice([120, 200, 200, 200, 220, 250], (*shape, 3)).astype(np.uint8)
    guide = picture.max(axis=2) if shape != (0, 0) else np.zeros(shape, np.uint8)
    above, below = (rng.choice([0, 50 << 32, 90 << 32, NOWHERE], shape, p=[0.05, 0.05, 0.45, 0.45]) for _ in range(2))
    limits = (190, 10, 24, 60 << 32)
    (got,), (wanted,) = both(open_sky, picture, guide, above, below, *limits, outs=[(shape, np.bool_)])
    np.testing.assert_array_equal(got, wanted)
    if shape == (17, 23):
        assert got.any()
        assert not got.all()


@pytest.mark.parametrize("shape", [(0, 0), *SHAPES])
@pytest.mark.parametrize("step_px", [1, 3])
@pytest.mark.parametrize("share", [0.7, 1.0])
def test_departure_equals_twin(shape, step_px, share):
    inverse = measured(np.random.default_rng(5), shape, share)
    (got,), (wanted,) = both(departure, inverse, step_px, outs=[(shape, np.float32)])
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-8)


def test_a_plane_departs_nowhere():
    v, u = np.mgrid[:20, :30]
    out = np.empty((20, 30), np.float32)
    departure((0.05 + 0.01 * v + 0.002 * u).astype(np.float32), 3, out)
    np.testing.assert_allclose(out, 0, atol=1e-7)


@pytest.mark.parametrize("shape", [(0, 0), *SHAPES])
def test_expected_error_equals_twin(shape):
    rng = np.random.default_rng(6)
    filled = measured(rng, shape, 0.8)
    bend, spread = (rng.normal(0, 0.1, shape).astype(np.float32) for _ in range(2))
    reach = rng.choice([0, 1.4, 50, 300], shape).astype(np.float32)
    source = rng.integers(0, 5, shape).astype(np.uint8)
    weights = rng.random((6, 5)).astype(np.float32)
    farthest = np.abs(rng.choice([0, 0.02, 0.1, 0.5], shape)).astype(np.float32)
    arguments = (filled, bend, np.abs(spread), farthest, reach, source, weights)
    (got,), (wanted,) = both(expected_error, *arguments, outs=[(shape, np.float32)])
    np.testing.assert_allclose(got, wanted, rtol=1e-3)
    np.testing.assert_array_equal(got > 0, filled > 0)
