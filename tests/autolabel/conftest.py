"""The prior that ships, and a car that it was not trained on, seen from two sides."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from densegt.autolabel.object_evidence import ObjectEvidence, thinned, turned
from densegt.shapes.families import car
from densegt.shapes.prior import ShapePrior
from densegt.shapes.solids import Solids
from densegt.shapes.weights import PRIOR

# Where the car of `seen_car` stands in its object's frame.
X_M, Y_M, YAW_RAD = 0.4, -0.3, 0.2


@pytest.fixture(scope="session")
def prior() -> ShapePrior:
    """As it ships."""
    return ShapePrior.load(PRIOR)


@pytest.fixture(scope="session")
def unseen_car() -> Solids:
    """Of another seed than the training's."""
    return car(np.random.default_rng(77))


@pytest.fixture(scope="session")
def seen_car(unseen_car: Solids) -> ObjectEvidence:
    """Its left side and rear, and the empty places about it."""
    rng = np.random.default_rng(3)
    surface = unseen_car.surface(3000, rng)
    normal = unseen_car.normal(surface)
    shown = surface[(normal @ np.array([-0.6, 0.8, 0.1]) > 0.2) & (surface[:, 2] > 0.25)]
    shown = shown + rng.normal(0, 0.02, shown.shape)
    around = rng.uniform([-3.2, -1.8, 0.45], [3.2, 1.8, 0.95], (600, 3))
    empty = around[unseen_car.distance(around) > 0.3]
    return evidence_of(placed(shown), placed(empty))


def evidence_of(xyh: NDArray[np.float64], free: NDArray[np.float64]) -> ObjectEvidence:
    """What was measured of an object at these points (N,3), with empty places (M,3)."""
    thin, weight, _ = thinned(xyh)
    return ObjectEvidence(thin, weight, np.tile([0.0, 0.0, 1.0], (len(thin), 1)), free, None, len(xyh))


def placed(xyz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points (N,3) of the shape frame where the car stands."""
    return np.column_stack([turned(xyz[:, :2], YAW_RAD) + np.array([X_M, Y_M]), xyz[:, 2]])
