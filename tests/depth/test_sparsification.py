"""Sparsification curves, on errors whose curves are known."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.depth.sparsification import SHARES, sparsification


def test_an_oracle_has_no_area():
    error = np.random.default_rng(0).normal(size=1000)
    curve = sparsification(error, -np.abs(error))
    np.testing.assert_allclose(curve.rmse_m, curve.oracle_rmse_m)
    assert curve.ause == 0


def test_curves_by_hand():
    """Four pixels, the surest first: errors 0, 2, 0, 4, the last wrong."""
    error, confidence = np.array([2.0, 0.0, 4.0, 0.0]), np.array([3.0, 4.0, 1.0, 2.0])
    curve = sparsification(error, confidence, np.array([False, False, True, False]), shares=(1.0, 0.75, 0.5, 0.25))
    np.testing.assert_allclose(curve.rmse_m, np.sqrt([20 / 4, 4 / 3, 2, 0]))
    np.testing.assert_allclose(curve.oracle_rmse_m, np.sqrt([20 / 4, 4 / 3, 0, 0]))
    np.testing.assert_allclose(curve.outlier_percent, [25, 0, 0, 0])
    assert curve.ause == pytest.approx(0.25 * np.sqrt(2) / np.sqrt(5))


def test_confidence_that_is_equal_everywhere_keeps_the_error():
    error = np.random.default_rng(1).normal(size=500)
    curve = sparsification(error, np.ones(500), error > 1)
    np.testing.assert_allclose(curve.rmse_m, curve.rmse_m[0])
    np.testing.assert_allclose(curve.outlier_percent, 100 * (error > 1).mean())


def test_confidence_that_is_upside_down_is_worse_than_none():
    error = np.random.default_rng(2).exponential(size=2000)
    none, wrong, right = (sparsification(error, c).ause for c in (np.zeros(2000), error, -error))
    assert right < none < wrong


def test_order_and_sign_of_errors_do_not_matter():
    rng = np.random.default_rng(3)
    error, confidence = rng.normal(size=300), rng.integers(0, 9, 300).astype(float)
    order = rng.permutation(300)
    a, b = sparsification(error, confidence), sparsification(-error[order], confidence[order])
    np.testing.assert_allclose(a.rmse_m, b.rmse_m)
    np.testing.assert_allclose(a.shares, SHARES)


def test_one_pixel_and_no_error():
    assert sparsification(np.array([2.0]), np.array([0.0])).ause == 0
    assert sparsification(np.zeros(10), np.arange(10.0)).ause == 0


@pytest.mark.parametrize(
    ("error", "confidence", "shares"),
    [
        ([], [], SHARES), ([1.0], [1.0, 2.0], SHARES), ([np.nan], [1.0], SHARES), ([1.0], [np.inf], SHARES),
        ([1.0], [1.0], ()), ([1.0], [1.0], (0.5, 1.0)), ([1.0], [1.0], (1.0, 0.0)), ([1.0], [1.0], (1.1, 0.5)),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(error, confidence, shares):
    with pytest.raises(ValueError, match=r"N > 0|not finite|fall"):
        sparsification(np.array(error), np.array(confidence), shares=shares)
