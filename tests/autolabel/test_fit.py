"""Fits: slopes are right, a known car is found, empty space counts, nothing depends on chance."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.autolabel.config import FitConfig
from densegt.autolabel.fit import Poses, Start, distances, fit_shape
from densegt.autolabel.object_evidence import THIN_M, ObjectEvidence, thinned
from densegt.shapes.decoder import CODE, ShapeDecoder
from densegt.shapes.prior import ShapePrior
from densegt.shapes.solids import Solids

from .conftest import X_M, Y_M, YAW_RAD, evidence_of, placed

CONFIG = FitConfig()


def test_slopes_are_those_of_finite_differences(prior: ShapePrior) -> None:
    decoder = ShapeDecoder().double()
    decoder.load_state_dict({k: v.double() for k, v in prior.decoder.state_dict().items()})
    rng = np.random.default_rng(0)
    poses = Poses.of(prior, [Start(0.3, -0.2, 0.7, "car"), Start(0.0, 0.1, -2.0, "van")])
    poses = poses._replace(theta=poses.theta + rng.normal(0, 0.1, poses.theta.shape))
    xyh = rng.uniform(-2.5, 2.5, (7, 3))
    _, slope = distances(decoder, poses, xyh)
    for k in range(4 + CODE):
        step = np.zeros(4 + CODE)
        step[k] = 1e-6
        ahead, behind = (distances(decoder, poses._replace(theta=poses.theta + s), xyh)[0] for s in (step, -step))
        assert np.allclose((ahead - behind) / 2e-6, slope[..., k], atol=1e-6)


@pytest.mark.parametrize("start_yaw", [0.0, np.pi])
def test_a_car_seen_from_two_sides_is_found(
    prior: ShapePrior, seen_car: ObjectEvidence, unseen_car: Solids, start_yaw: float
) -> None:
    starts = [Start(0.0, 0.0, start_yaw, "car"), Start(0.0, 0.0, start_yaw + np.pi, "car")]
    fit = fit_shape(prior, seen_car, starts, CONFIG)
    middle = np.array([X_M, Y_M])
    assert abs(np.sin(fit.yaw - YAW_RAD)) < np.deg2rad(2)
    assert np.cos(fit.yaw - YAW_RAD) > 0
    assert np.linalg.norm(fit.middle - middle) < 0.25
    assert np.allclose(fit.size_lwh_m, unseen_car.size_lwh_m, atol=0.4)
    assert min(gap for _, gap in fit.rivals) > 0


def test_empty_space_says_where_a_shape_ends(prior: ShapePrior, seen_car: ObjectEvidence, unseen_car: Solids) -> None:
    """Where only the rear is seen, the front is anywhere; but where beams pass, no car is."""
    ahead = (seen_car.xyh[:, 0] - X_M) * np.cos(YAW_RAD) + (seen_car.xyh[:, 1] - Y_M) * np.sin(YAW_RAD)
    rear = seen_car.xyh[ahead < -1.0]
    starts = [Start(X_M + 0.3, Y_M, YAW_RAD, "car")]
    true_m = float(unseen_car.size_lwh_m[0])
    x, y = np.meshgrid(np.arange(true_m / 2 + 0.05, 3.5, 0.2), np.arange(-0.7, 0.71, 0.2))
    before_it = placed(np.column_stack([x.ravel(), y.ravel(), np.full(x.size, 0.6)]))
    blind, seeing = (
        fit_shape(prior, evidence_of(rear, free), starts, CONFIG) for free in (np.zeros((0, 3)), before_it)
    )
    assert abs(seeing.size_lwh_m[0] - true_m) < abs(blind.size_lwh_m[0] - true_m)


def test_equal_input_gives_equal_fits_and_other_numbers_of_points_do_too(
    prior: ShapePrior, seen_car: ObjectEvidence
) -> None:
    starts = [Start(0.0, 0.0, 0.0, "car")]
    a, b = (fit_shape(prior, seen_car, starts, CONFIG, seed=4) for _ in range(2))
    assert np.array_equal(a.code, b.code)
    assert a.loss == b.loss
    few = ObjectEvidence(seen_car.xyh[:1], seen_car.weight[:1], seen_car.normal[:1], np.zeros((0, 3)), None, 1)
    assert np.isfinite(fit_shape(prior, few, starts, CONFIG).code).all()


def test_thinning_keeps_the_mean_and_the_count() -> None:
    rng = np.random.default_rng(1)
    xyh = rng.uniform(-1, 1, (500, 3))
    thin, weight, first = thinned(xyh)
    assert weight.sum() == 500
    assert np.allclose((thin * weight[:, None]).sum(axis=0) / 500, xyh.mean(axis=0))
    assert (np.abs(thin - xyh[first]) < THIN_M).all()
    assert [len(part) for part in thinned(np.zeros((0, 3)))] == [0, 0, 0]
