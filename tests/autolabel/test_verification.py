"""Verification: a right fit agrees better than a wrong one, and judges are what was written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.fitting.autolabel_judge import fit_judge
from densegt.autolabel.config import FitConfig
from densegt.autolabel.fit import Start, fit_shape
from densegt.autolabel.object_evidence import ObjectEvidence
from densegt.autolabel.verification import NAMES, Circumstances, Judge, agreement, as_row
from densegt.autolabel.weights import MOVING, STANDING
from densegt.shapes.prior import ShapePrior


def test_a_right_fit_is_believed_and_a_shifted_one_is_not(prior: ShapePrior, seen_car: ObjectEvidence) -> None:
    fit = fit_shape(prior, seen_car, [Start(0.0, 0.0, 0.0, "car")], FitConfig())
    shifted = replace(fit, y=fit.y - 1.2)
    right, wrong = (agreement(prior, seen_car, f, Circumstances()) for f in (fit, shifted))
    assert right.on > 0.9 > 0.5 > wrong.on
    assert right.free < wrong.free
    assert right.sides > wrong.sides
    judge = Judge.load(MOVING)
    assert judge.probability(right) > judge.probability(wrong)


def test_judges_know_the_figures_that_there_are() -> None:
    for path in (STANDING, MOVING):
        judge = Judge.load(path)
        assert set(judge.names) <= set(NAMES)
        assert len(judge.weight) == len(judge.names)


def test_a_judge_learns_what_is_right_and_is_what_was_written(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, len(NAMES)))
    right = x[:, 1] + 0.5 * x[:, 4] + rng.normal(0, 0.3, 400) > 0
    judge = fit_judge(x, right)
    p = np.array([judge.probability_of(row) for row in x])
    assert ((p > 0.5) == right).mean() > 0.9
    assert abs(p.mean() - right.mean()) < 0.02
    judge.save(tmp_path / "judge.json")
    again = Judge.load(tmp_path / "judge.json")
    assert np.allclose([again.probability_of(row) for row in x], p, atol=1e-4)


def test_figures_are_in_the_order_of_their_names(prior: ShapePrior, seen_car: ObjectEvidence) -> None:
    fit = fit_shape(prior, seen_car, [Start(0.0, 0.0, 0.0, "car")], FitConfig())
    figures = agreement(prior, seen_car, fit, Circumstances())
    assert as_row(figures)[NAMES.index("length")] == fit.size_lwh_m[0]
    assert np.isfinite(as_row(figures)).all()
