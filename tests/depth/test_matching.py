import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from densegt.depth.matching import best_match, surface_nearby

from . import reference


def match_one(depth, truth):
    truth = np.array(truth, dtype=np.float32)
    depth_m = np.zeros_like(truth)
    depth_m[1, 1] = depth
    return best_match(depth_m, truth, depth_m > 0)[0]


def test_the_threshold_itself_is_right():
    assert match_one(8.5, np.full((3, 3), 8.0)) == 1  # 0.5 m
    assert match_one(42.0, np.full((3, 3), 40.0)) == 1  # 5 %
    assert match_one(38.0, np.full((3, 3), 40.0)) == -1
    assert match_one(42.01, np.full((3, 3), 40.0)) > 1


def test_a_neighbour_forgives_by_its_own_tolerance():
    truth = np.full((3, 3), 10.0)
    truth[0, 2] = 40
    assert match_one(41.5, truth) == pytest.approx(0.75)


def test_a_tie_says_too_far():
    truth = np.full((3, 3), 4.0)
    truth[2] = 6
    assert match_one(5.0, truth) == 2
    assert match_one(5.0, truth[::-1]) == 2


def test_no_surface_is_never_matched():
    assert match_one(5.0, np.zeros((3, 3))) == np.inf
    sky = np.zeros((3, 3))
    sky[0, 0] = 30
    assert match_one(5.0, sky) == pytest.approx(-25 / 1.5)


def test_neighbours_end_at_the_border_and_do_not_wrap():
    truth = np.full((3, 4), 10.0, dtype=np.float32)
    truth[1, 3] = 30
    depth = np.zeros_like(truth)
    depth[2, 0] = depth[1, 0] = 30
    assert (best_match(depth, truth, depth > 0) == 40).all()


def test_surface_nearby():
    truth = np.zeros((5, 5), dtype=np.float32)
    truth[0, 0], truth[4, 4] = 7, np.nan
    near = np.zeros((5, 5), dtype=bool)
    near[:2, :2] = True
    assert (surface_nearby(truth) == near).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 7), st.integers(1, 7))
def test_agrees_with_the_slow_twin(seed, height, width):
    rng = np.random.default_rng(seed)
    depth, truth = (rng.choice([0, 1, 5.5, 6, 20, 21, 22, 80, np.nan], (height, width)) for _ in range(2))
    depth, truth = depth.astype(np.float32), truth.astype(np.float32)
    got = best_match(depth, truth, depth > 0)
    np.testing.assert_allclose(got, reference.best_match(depth, truth, depth > 0), rtol=1e-6)
