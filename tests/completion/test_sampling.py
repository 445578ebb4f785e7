"""What the network is shown: thinned, cut, enlarged and mirrored, but never made inconsistent."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.completion import sampling
from densegt.completion.examples import Example
from densegt.completion.method import SparseDepth
from densegt.completion.sampling import draw_example
from densegt.completion.sparsify import BEAM_RAD, holed, keep, lowered, scanned, scattered

from .streets import CAMERA_M, K, whole

SIZE = (48, 64)
SEEDS = range(25)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_given_is_true(seed):
    """All of the depth was true of its pixel before, and is so after."""
    drawn = draw_example(whole(0), SIZE, np.random.default_rng(seed))
    given = drawn.given
    known = given.depth_m > 0
    assert given.depth_m.shape == drawn.target_m.shape == drawn.weight.shape == given.image.shape[:2]
    np.testing.assert_array_equal(given.depth_m[known], drawn.target_m[known])
    np.testing.assert_array_equal(given.source > 0, known)
    assert drawn.target_m[drawn.inner].shape == SIZE


@pytest.mark.parametrize("seed", SEEDS)
def test_the_camera_goes_along(seed):
    """The ground lies as deep below the camera as before, and what was at its side stays at that distance."""
    image, depth = np.zeros((96, 128, 3), np.uint8), np.zeros((96, 128), np.float32)
    depth[50:] = (CAMERA_M * K[1, 1] / (np.arange(50, 96) - K[1, 2]))[:, None]
    wall = 4.0 * K[0, 0] / (np.arange(100, 128) - K[0, 2])
    depth[:40, 100:] = wall
    given = SparseDepth(image, depth, (depth > 0).astype(np.uint8), K)
    drawn = draw_example(Example((given,), depth, np.ones_like(depth), exact=True), SIZE, np.random.default_rng(seed))
    K_drawn = drawn.given.K
    v, u = np.nonzero(drawn.target_m)
    z = drawn.target_m[v, u]
    # A pixel that has become several stands for all of them: half a pixel of the original either way.
    below, aside = ((at - K_drawn[i, 2]) * z / K_drawn[i, i] for i, at in ((1, v), (0, u)))
    slack = z / K[0, 0] * 1.01 + 1e-3
    ground = np.abs(below - CAMERA_M) < slack
    at_wall = np.abs(np.abs(aside) - 4.0) < slack
    assert (ground | at_wall).all()
    if drawn.given.K[0, 0] == K[0, 0]:
        np.testing.assert_allclose(np.where(ground, below, np.abs(aside)), np.where(ground, CAMERA_M, 4.0), atol=1e-2)


def test_image_and_depth_stay_together(monkeypatch):
    """Pixels whose colour tells their depth."""
    monkeypatch.setattr(sampling, "_recoloured", lambda image, rng: image)
    depth = np.linspace(10, 60, 96 * 128, dtype=np.float32).reshape(96, 128)
    depth = np.repeat(np.repeat(depth[::8, ::8], 8, 0), 8, 1)
    image = np.repeat(np.rint(depth * 4).astype(np.uint8)[..., None], 3, 2)
    example = Example((SparseDepth(image, depth, np.ones(depth.shape, np.uint8), K),), depth, np.ones_like(depth), True)
    for seed in SEEDS:
        drawn = draw_example(example, SIZE, np.random.default_rng(seed))
        apart = np.abs(drawn.given.image[..., 0] - drawn.target_m * 4) > 1
        assert apart.mean() < (0.01 if drawn.given.K[0, 0] == K[0, 0] else 0.4)


def test_the_same_seed_draws_the_same():
    one, two, other = (draw_example(whole(0), SIZE, np.random.default_rng(seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.given.image, two.given.image)
    np.testing.assert_array_equal(one.given.depth_m, two.given.depth_m)
    assert one.given.image.shape != other.given.image.shape or (one.given.image != other.given.image).any()


def test_accumulated_depth_is_never_its_own_answer():
    """Where the target is what is given, some of it must be hidden, or there is nothing to learn."""
    example = whole(0)
    example = Example(example.inputs, example.target_m, example.weight, exact=False)
    for seed in SEEDS:
        drawn = draw_example(example, SIZE, np.random.default_rng(seed))
        assert ((drawn.given.depth_m == 0) & (drawn.target_m > 0)).any()


@pytest.mark.parametrize("size", [(96, 128), (95, 127), (40, 128), (300, 200), (33, 47)])
def test_pieces_are_as_large_as_they_should(size):
    """Also where the image is as large, or smaller."""
    for seed in range(60):
        drawn = draw_example(whole(0), size, np.random.default_rng(seed))
        assert drawn.target_m[drawn.inner].shape == size, seed


@pytest.mark.parametrize("beams", [1, 4, 64])
def test_scans(beams):
    given = whole(0).inputs[0]
    known, less = given.depth_m > 0, scanned(given, beams, np.random.default_rng(0)).depth_m
    np.testing.assert_array_equal(less[less > 0], given.depth_m[less > 0])
    assert (less > 0).sum() < known.sum()
    if beams > 1:
        assert (less > 0).sum() > (scanned(given, beams // 4, np.random.default_rng(0)).depth_m > 0).sum()


def test_a_scan_of_a_sweep_takes_whole_beams():
    """What is kept of thin depth lies within as many bands of elevation, each as wide as a beam's share."""
    image, depth = np.zeros((96, 128, 3), np.uint8), np.zeros((96, 128), np.float32)
    depth[::2, ::16] = 80
    given = SparseDepth(image, depth, (depth > 0).astype(np.uint8), K)
    v, u = np.nonzero(depth)
    all_rad = np.arctan2((v - K[1, 2]) / K[1, 1], np.hypot((u - K[0, 2]) / K[0, 0], 1))
    for seed in range(5):
        less = scanned(given, 2, np.random.default_rng(seed)).depth_m > 0
        angles = np.sort(all_rad[less[v, u]])
        (gaps,) = np.nonzero(np.diff(angles) > np.deg2rad(3))
        assert len(gaps) <= 1
        for band in np.split(angles, gaps + 1):
            assert 0 < np.ptp(band) < BEAM_RAD + np.deg2rad(0.5)
            # Nothing between is left out, but for what the lidar's height changes.
            assert (less[v, u] | (all_rad < band[0] + 0.005) | (all_rad > band[-1] - 0.005)).all()


def test_other_ways_to_know_less():
    given = whole(0).inputs[0]
    rng = np.random.default_rng(0)
    known = (given.depth_m > 0).sum()
    assert abs((scattered(given, 0.1, rng).depth_m > 0).sum() / known - 0.1) < 0.02
    gone = (given.depth_m > 0) & (holed(given, 1, rng).depth_m == 0)
    rows, cols = np.nonzero(gone)
    assert gone.sum() == ((given.depth_m > 0)[rows.min() : rows.max() + 1, cols.min() : cols.max() + 1]).sum()
    assert not keep(given, np.zeros(given.depth_m.shape, bool)).source.any()


@pytest.mark.parametrize("seed", range(5))
def test_lowered_leaves_what_is_below_an_elevation(seed):
    """Seen from the lidar all that is left lies below all that is gone; some of both, and nothing new."""
    given = whole(0).inputs[0]
    left = lowered(given, np.random.default_rng(seed))
    known, kept = given.depth_m > 0, left.depth_m > 0
    assert 0 < kept.sum() < known.sum()
    assert not (kept & ~known).any()
    row = np.broadcast_to(np.arange(known.shape[0])[:, None], known.shape)
    # Of one depth what is lower in the image is lower from the lidar too, but for its height and place.
    for low_m in (5, 10, 20):
        of_depth = known & (given.depth_m >= low_m) & (given.depth_m < 1.02 * low_m)
        if (of_depth & kept).any() and (of_depth & ~kept).any():
            assert row[of_depth & ~kept].mean() <= row[of_depth & kept].mean()


def test_lowered_of_nothing_is_nothing():
    given = whole(0).inputs[0]
    assert not lowered(keep(given, np.zeros(given.depth_m.shape, bool)), np.random.default_rng(0)).depth_m.any()
