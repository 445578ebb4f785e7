"""What filled pixels say of their error holds on worlds that no calibration was fitted on.

The pixels were kept by `python -m benchmarks.fitting.completion_calibration ... --sample FILE`, from cities and, of the
classical method, a simple street that were held out, with the methods' own uncertainty; the calibrations that ship are
put to them here.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.fitting.completion_calibration import Bin, calibrated, read_sample, reliability
from densegt.completion.calibration import ACCUMULATED, ONE_SWEEP, read_calibration
from densegt.completion.weights import CLASSICAL_CALIBRATION

HELD_OUT = read_sample(Path(__file__).with_name("held_out_pixels.npz"))
EACH = [(method, kind) for method in ("classical", "network") for kind in (ONE_SWEEP, ACCUMULATED)]


def holds(rows: list[Bin]) -> tuple[bool, bool]:
    """Whether each fifth's uncertainty is right within a factor of 1.7, and its confidence to 0.25.

    Confidence is too low where sky is by day, too high by night: then half of what is filled above all measurements is
    sky, and nothing that is said of these pixels tells.
    """
    sigmas = np.array([row.error_sigmas for row in rows])
    off = np.array([row.confidence - row.right for row in rows])
    print(np.round(sigmas, 2), np.round(off, 3))
    return bool((np.maximum(sigmas, 1 / sigmas) < 1.7).all()), bool((np.abs(off) < 0.25).all())


@pytest.mark.parametrize(("method", "kind"), EACH)
def test_what_is_said_is_found(method, kind):
    calibration = read_calibration(CLASSICAL_CALIBRATION.with_name(f"{method}.calibration.json"))
    assert holds(reliability(calibrated(HELD_OUT[f"{method}, {kind}"], calibration))) == (True, True)


@pytest.mark.parametrize(("method", "kind"), EACH)
def test_without_calibration_neither_would_hold(method, kind):
    assert holds(reliability(HELD_OUT[f"{method}, {kind}"])) == (False, False)
