"""The kernels that gather evidence for a pixel's depth, against their twins."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.kernels.confidence_features import COLUMNS, confidence_features, confidence_of_features
from densegt.kernels.confidence_network import BLOCK, confidence_network
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


@pytest.mark.parametrize(("seed", "surfels", "known_share"), [(0, 0, 0.0), (1, 5, 0.3), (2, 40, 1.0)])
def test_evidence_equals_twin(seed: int, surfels: int, known_share: float) -> None:
    rng = np.random.default_rng(seed)

    def layer(lo: float, hi: float) -> np.ndarray:
        return rng.uniform(lo, hi, (H, W)).astype(np.float32)

    def each(lo: float, hi: float) -> np.ndarray:
        return rng.uniform(lo, hi, surfels).astype(np.float32)

    depth_m = np.where(rng.random((H, W)) < known_share, layer(1, 60), 0).astype(np.float32)
    row_of = rng.integers(-1, max(surfels, 0), (H, W)).astype(np.int32) if surfels else np.full((H, W), -1, np.int32)
    measured = rng.random((H, W)) < 0.4
    arguments = (
        depth_m,
        row_of,
        measured,
        ~measured & (rng.random((H, W)) < 0.5),
        rng.integers(0, 25, (H, W)).astype(np.uint16),
        rng.integers(0, 25, (H, W)).astype(np.uint16),
        np.minimum(layer(0.5, 60), np.where(depth_m > 0, depth_m, 60)),
        np.minimum(layer(0.5, 60), np.where(depth_m > 0, depth_m, 60)),
        layer(0, 1e4) * (rng.random((H, W)) < 0.7),
        layer(0, 1e4) * (rng.random((H, W)) < 0.7),
        layer(0, 50) * (rng.random((H, W)) < 0.7),
        layer(0, 50) * (rng.random((H, W)) < 0.7),
        layer(0, 1),
        layer(0, 1),
        rng.random(surfels) < 0.4,
        rng.random(surfels) < 0.2,
        each(0, 1),
        each(-5, 5),
        each(0, 1),
    )
    known = int((depth_m > 0).sum())
    got, wanted = (np.full((known, len(COLUMNS)), np.nan, np.float32) for _ in range(2))
    flat = [argument.ravel() for argument in arguments]
    confidence_features(*flat, got)
    twin_of(confidence_features)(*arguments, wanted)
    np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)
    assert np.isfinite(got).all()
    layers = network(rng)
    sure = np.full(H * W, np.nan, np.float32)
    confidence_of_features(*flat, *layers, sure)
    at = depth_m.ravel() > 0
    np.testing.assert_allclose(sure[at], twin_judge(wanted, *layers), rtol=1e-3, atol=1e-4)
    assert not sure[~at].any()


def network(rng: np.random.Generator, inputs: int = len(COLUMNS)) -> list[np.ndarray]:
    sizes = ((6, inputs), (5, 6), (1, 5))
    return [rng.normal(0, 0.3, (out, into + 1)).astype(np.float32) for out, into in sizes]


def twin_judge(rows: np.ndarray, first: np.ndarray, second: np.ndarray, third: np.ndarray) -> np.ndarray:
    """Layer by layer in float64."""
    y = np.maximum(rows.astype(float) @ first[:, :-1].T + first[:, -1], 0)
    z = np.maximum(y @ second[:, :-1].T + second[:, -1], 0)
    return 1 / (1 + np.exp(-(z @ third[:, :-1].T + third[:, -1])))[:, 0]


@pytest.mark.parametrize(("n", "inputs"), [(0, 3), (1, 1), (BLOCK - 1, 4), (BLOCK, 5), (3 * BLOCK + 7, len(COLUMNS))])
def test_judge_equals_twin(n: int, inputs: int) -> None:
    rng = np.random.default_rng(n)
    rows, layers = rng.normal(0, 2, (n, inputs)).astype(np.float32), network(rng, inputs)
    out = np.full(n + 1, 77, np.float32)
    confidence_network(rows, *layers, out)
    np.testing.assert_allclose(out[:n], twin_judge(rows, *layers), rtol=1e-4, atol=1e-5)
    assert out[n] == 77


def test_judge_of_what_is_no_number_is_no_number_and_spoils_no_other() -> None:
    rng = np.random.default_rng(3)
    rows, layers = rng.normal(size=(9, 4)).astype(np.float32), network(rng, 4)
    whole, out = np.empty(9, np.float32), np.empty(9, np.float32)
    confidence_network(rows, *layers, whole)
    rows[4] = np.inf
    confidence_network(rows, *layers, out)
    np.testing.assert_array_equal(np.delete(out, 4), np.delete(whole, 4))
