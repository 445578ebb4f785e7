"""What filled pixels say of their error holds on worlds that no calibration was fitted on.

The pixels were kept by `python -m benchmarks.fitting.completion_calibration ... --sample FILE`, from a city and two
simple streets that were held out, with the methods' own uncertainty; the calibrations that ship are put to them here.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.fitting.completion_calibration import calibrated, read_sample, reliability
from densegt.completion.calibration import ACCUMULATED, ONE_SWEEP, read_calibration
from densegt.completion.weights import CLASSICAL_CALIBRATION

HELD_OUT = read_sample(Path(__file__).with_name("held_out_pixels.npz"))


@pytest.mark.parametrize("kind", [ONE_SWEEP, ACCUMULATED])
@pytest.mark.parametrize("method", ["classical", "network"])
def test_what_is_said_is_found(method, kind):
    calibration = read_calibration(CLASSICAL_CALIBRATION.with_name(f"{method}.calibration.json"))
    rows = reliability(calibrated(HELD_OUT[f"{method}, {kind}"], calibration))
    ratio = np.array([row.sigma_m / row.error_m for row in rows])
    off = np.array([row.confidence - row.right for row in rows])
    print(np.round(ratio, 2), np.round(off, 3))
    assert (np.maximum(ratio, 1 / ratio) < 1.6).all()
    assert (np.abs(off) < 0.1).all()
