"""The kernels behind a pixel's confidence, against their twins."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.kernels.confidence_features import (
    COLUMNS,
    FeatureImages,
    SurfelAttributes,
    confidence_features,
    confidence_of_features,
)
from densegt.kernels.confidence_network import BLOCK, ConfidenceModel, confidence_network
from densegt.kernels.count_layers import count_layers
from densegt.kernels.plane_votes import plane_votes

from ..twins import twin_of

H, W = 14, 19
K = np.array([[20.0, 0, 9.3], [0, 21.0, 6.7], [0, 0, 1]])


@pytest.mark.parametrize(
    ("seed", "radius_px", "measured_share"), [(0, 2, 0.0), (1, 1, 0.3), (2, 2, 0.5), (3, 4, 1.0), (4, 0, 0.5)]
)
def test_plane_votes_equal_twin(seed: int, radius_px: int, measured_share: float) -> None:
    rng = np.random.default_rng(seed)
    # Few depths, so that ties and exact agreement occur.
    depth_m = rng.choice([0, 5, 5.1, 8, 20, np.nan], (H, W)).astype(np.float32)
    measured = (rng.random((H, W)) < measured_share) & (depth_m > 0)
    slope = (rng.normal(size=(H, W, 2)) * 0.01).astype(np.float32)
    counts = [np.zeros((H, W), np.uint16) for _ in range(4)]
    plane_votes(depth_m, measured, slope, radius_px, 0.03, 0.1, *counts[:2])
    twin_of(plane_votes)(depth_m, measured, slope, radius_px, 0.03, 0.1, *counts[2:])
    np.testing.assert_array_equal(counts[0], counts[2])
    np.testing.assert_array_equal(counts[1], counts[3])
    assert counts[0].any() == (measured_share > 0 and radius_px > 0)
    assert (counts[0][~(depth_m > 0)] == 0).all()


def test_every_pixel_of_a_slanted_plane_agrees_with_every_other() -> None:
    """1/z = 0.1 + 0.004 u - 0.003 v, seen whole: 24 neighbours inside, fewer at the border, nothing behind."""
    v, u = np.mgrid[:H, :W]
    depth_m = (1 / (0.1 + 0.004 * u - 0.003 * v)).astype(np.float32)
    slope = np.broadcast_to(np.array([0.004, -0.003], np.float32), (H, W, 2)).copy()
    agree, farther = np.zeros((H, W), np.uint16), np.zeros((H, W), np.uint16)
    plane_votes(depth_m, np.ones((H, W), bool), slope, 2, 0.01, 0.0, agree, farther)
    assert (agree[2:-2, 2:-2] == 24).all()
    assert agree[0, 0] == 8
    assert not farther.any()


@pytest.mark.parametrize(("seed", "n"), [(0, 0), (1, 1), (2, 400)])
def test_count_layers_equals_twin(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    xyz = (rng.normal(size=(n, 3)) * [4, 3, 5] + [0, 0, 6]).astype(np.float32)
    xyz[: n // 50] = np.nan
    front_m = rng.choice([3.0, 8.0, np.inf], (H, W)).astype(np.float32)
    asked = rng.random(n) < 0.7
    counts = [np.zeros((H, W), np.float32) for _ in range(4)]
    count_layers(xyz, asked, K, front_m, 0.03, 0.1, *counts[:2])
    twin_of(count_layers)(xyz, asked, K, front_m, 0.03, 0.1, *counts[2:])
    np.testing.assert_array_equal(counts[0], counts[2])
    np.testing.assert_array_equal(counts[1], counts[3])
    assert (counts[0].sum() + counts[1].sum() > 20) == (n == 400)


def test_a_point_on_the_tolerance_of_a_surface_is_on_it() -> None:
    front_m = np.full((H, W), 10.0, np.float32)
    for z, is_behind in [(2.0, 0), (10.0, 0), (10.41, 0), (10.42, 1)]:  # (10 + 0.1) / 0.97 = 10.412
        on, behind = np.zeros((H, W), np.float32), np.zeros((H, W), np.float32)
        count_layers(np.array([[0, 0, z]], np.float32), np.array([True]), K, front_m, 0.03, 0.1, on, behind)
        assert (on.sum(), behind.sum()) == (1 - is_behind, is_behind)
        assert (on + behind)[7, 9] == 1


@pytest.mark.parametrize(("seed", "n", "known_share"), [(0, 0, 0.0), (1, 5, 0.3), (2, 40, 1.0)])
def test_features_equal_twin(seed: int, n: int, known_share: float) -> None:
    rng = np.random.default_rng(seed)

    def image(lo: float, hi: float) -> np.ndarray:
        return rng.uniform(lo, hi, H * W).astype(np.float32)

    def each(lo: float, hi: float) -> np.ndarray:
        return rng.uniform(lo, hi, n).astype(np.float32)

    known = rng.random(H * W) < known_share
    depth_m = np.where(known, image(1, 60), 0).astype(np.float32)
    measured = rng.random(H * W) < 0.4
    images = FeatureImages(
        depth_m=depth_m,
        surfel=rng.integers(-1, n, H * W).astype(np.int32),
        measured=measured,
        between=~measured & (rng.random(H * W) < 0.5),
        agree=rng.integers(0, 2000, H * W).clip(0, 1023).astype(np.uint16),
        farther=rng.integers(0, 25, H * W).astype(np.uint16),
        nearest_around_m=np.minimum(image(0.5, 60), np.where(known, depth_m, 60)),
        nearest_close_m=np.minimum(image(0.5, 60), np.where(known, depth_m, 60)),
        support=image(0, 1e4) * (rng.random(H * W) < 0.7),
        support_around=image(0, 1e4) * (rng.random(H * W) < 0.7),
        first_weight=image(0, 50) * (rng.random(H * W) < 0.7),
        second_weight=image(0, 50) * (rng.random(H * W) < 0.7),
        known_around=image(0, 1),
        penetration=image(0, 1),
    )
    surfels = SurfelAttributes(rng.random(n) < 0.4, rng.random(n) < 0.2, each(0, 1), each(-5, 5), each(0, 1))
    got, wanted = (np.full((int(known.sum()), len(COLUMNS)), np.nan, np.float32) for _ in range(2))
    confidence_features(images, surfels, got)
    twin_of(confidence_features)(images, surfels, wanted)
    np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)
    assert np.isfinite(got).all()
    model = random_model(rng)
    confidence, twins = np.full(H * W, np.nan, np.float32), np.full(H * W, np.nan)
    confidence_of_features(images, surfels, model, confidence)
    twin_of(confidence_of_features)(images, surfels, model, twins)
    np.testing.assert_allclose(confidence, twins, rtol=1e-3, atol=1e-4)
    assert not confidence[~known].any()


def random_model(rng: np.random.Generator, inputs: int = len(COLUMNS)) -> ConfidenceModel:
    sizes = ((6, inputs), (5, 6), (1, 5))
    return ConfidenceModel(*(rng.normal(0, 0.3, (out, into + 1)).astype(np.float32) for out, into in sizes))


@pytest.mark.parametrize(("n", "inputs"), [(0, 3), (1, 1), (BLOCK - 1, 4), (BLOCK, 5), (3 * BLOCK + 7, len(COLUMNS))])
def test_network_equals_twin(n: int, inputs: int) -> None:
    rng = np.random.default_rng(n)
    rows, model = rng.normal(0, 2, (n, inputs)).astype(np.float32), random_model(rng, inputs)
    got, wanted = np.full(n + 1, 77, np.float32), np.full(n + 1, 77.0)
    confidence_network(rows, model, got)
    twin_of(confidence_network)(rows, model, wanted)
    np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)


def test_network_keeps_what_is_not_finite_to_its_own_row() -> None:
    rng = np.random.default_rng(3)
    rows, model = rng.normal(size=(9, 4)).astype(np.float32), random_model(rng, 4)
    whole, out = np.empty(9, np.float32), np.empty(9, np.float32)
    confidence_network(rows, model, whole)
    rows[4] = np.inf
    confidence_network(rows, model, out)
    np.testing.assert_array_equal(np.delete(out, 4), np.delete(whole, 4))
