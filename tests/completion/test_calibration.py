"""Uncertainty and confidence of filled pixels: maps that rise, and that nothing but filled pixels goes through."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.fitting.completion_calibration import rising
from densegt.completion.calibration import ABOVE_ALL, BELOW, KINDS, ONE_SWEEP, Calibration, Curve, read_calibration
from densegt.completion.classical import Classical
from densegt.completion.weights import CLASSICAL_CALIBRATION
from densegt.depth.matching import tolerance_m
from densegt.errors import InputError

from .scenes import given, scan_lines, street

CURVE = Curve((0.1, 1.0, 10.0), (0.2, 3.0, 8.0), (0.1, 1.0, 5.0), (0.99, 0.7, 0.2))


def test_curves_are_linear_over_the_logarithm_and_flat_beyond_their_ends():
    own_m = np.array([0, 1e-9, 0.1, 0.31622777, 1, 3.1622777, 10, 70_000], np.float32)
    wanted = [0, 0.2, 0.2, np.sqrt(0.2 * 3), 3, np.sqrt(3 * 8), 8, 8]
    np.testing.assert_allclose(CURVE.sigma_m(own_m), wanted, rtol=2e-3)
    depth_m = np.full(8, 40, np.float32)
    expected = np.interp(np.log(np.maximum(own_m, 1e-9) / 2), np.log(CURVE.ratio), CURVE.right)
    expected[0] = 0
    np.testing.assert_allclose(CURVE.confidence(own_m, depth_m), expected, atol=2e-3)
    assert tolerance_m(depth_m)[0] == 2


@pytest.mark.parametrize(
    "parts",
    [
        ((), (), (1.0,), (0.5,)),
        ((1.0, 2.0), (1.0,), (1.0,), (0.5,)),
        ((2.0, 1.0), (1.0, 2.0), (1.0,), (0.5,)),
        ((1.0, 2.0), (2.0, 1.0), (1.0,), (0.5,)),
        ((1.0,), (1.0,), (1.0, 2.0), (0.5, 0.6)),
        ((0.0,), (1.0,), (1.0,), (0.5,)),
    ],
)
def test_curves_that_are_none_are_refused(parts):
    with pytest.raises(ValueError, match="curve"):
        Curve(*parts)


def test_violators_are_pooled():
    np.testing.assert_allclose(rising(np.array([1.0, 3, 2, 5, 4, 3, 9])), [1, 2.5, 2.5, 4, 4, 4, 9])
    assert rising(np.array([2.0, 1.0])).tolist() == [1.5, 1.5]


def test_only_filled_pixels_go_through_the_curve_of_their_kind():
    image, truth = street()
    seen = given(image, scan_lines(truth))
    method = Classical()
    method.calibration = None
    own = method(seen)
    assert own.confidence is None
    other = Curve((1.0,), (7.0,), (1.0,), (0.25,))
    method.calibration = Calibration(dict.fromkeys(KINDS, CURVE) | {f"{ONE_SWEEP}, {ABOVE_ALL}": other})
    done = method(seen)
    np.testing.assert_array_equal(done.depth_m, own.depth_m)
    known = seen.depth_m > 0
    below = (np.cumsum(known, axis=0) > 0) & ~known & (own.depth_m > 0)
    above = (np.cumsum(known, axis=0) == 0) & (own.depth_m > 0)
    assert above.sum() > 50
    assert below.sum() > 50
    np.testing.assert_array_equal(done.uncertainty_m[known], own.uncertainty_m[known])
    np.testing.assert_allclose(done.uncertainty_m[below], CURVE.sigma_m(own.uncertainty_m[below]))
    np.testing.assert_allclose(done.uncertainty_m[above], 7, rtol=1e-5)
    np.testing.assert_allclose(done.confidence[above], 0.25)
    assert (done.confidence[known | (own.depth_m == 0)] == 0).all()
    assert (done.confidence[below] > 0).all()


def test_a_calibration_is_kept_beside_its_weights(tmp_path):
    path = tmp_path / "network.calibration.json"
    assert read_calibration(path) is None
    kept = Calibration(dict.fromkeys(KINDS, CURVE))
    path.write_text(json.dumps({"command": "made", **kept.as_json()}))
    assert read_calibration(path) == kept
    for damage in ("", "{}", json.dumps({kind: {"own_m": [1]} for kind in KINDS}), "[1]"):
        path.write_text(damage)
        with pytest.raises(InputError, match="not a readable calibration"):
            read_calibration(path)


def test_those_that_ship_name_what_made_them():
    for name in ("classical", "network"):
        path = CLASSICAL_CALIBRATION.with_name(f"{name}.calibration.json")
        assert read_calibration(path) is not None
        about = json.loads(path.read_text())
        assert about["command"].startswith("python -m benchmarks.fitting.completion_calibration")
        assert not set(about["fitted_on"]) & set(about["held_out"])
        assert f"{ONE_SWEEP}, {BELOW}" in about
