"""The prior that ships, and a vehicle that it was not trained on."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.shapes.families import car
from densegt.shapes.prior import ShapePrior
from densegt.shapes.solids import Solids
from densegt.shapes.weights import PRIOR


@pytest.fixture(scope="session")
def prior() -> ShapePrior:
    """As it ships."""
    return ShapePrior.load(PRIOR)


@pytest.fixture(scope="session")
def unseen_car() -> Solids:
    """Of another seed than the training's."""
    return car(np.random.default_rng(1234))
