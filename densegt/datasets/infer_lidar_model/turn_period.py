"""How long a turn may take, from the stamps of sweeps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Automotive lidars turn 5 to 25 times a second.
_LEAST_S, _MOST_S = 0.038, 0.21


def turn_periods(stamps_us: NDArray[np.int64]) -> list[float]:
    """Periods in s that fit the stamps, the likeliest first: the time between sweeps, then half of it.

    Sweeps may be missing: the least time between two that occurs more than now and then counts. Where every second
    one is missing a turn takes half of it. Empty where there are no two sweeps or only far apart ones.
    """
    gaps_s = np.diff(np.unique(stamps_us)) / 1e6
    if not len(gaps_s):
        return []
    # Single stamps may be wrong, so not the very least.
    least_s = float(np.quantile(gaps_s, 0.1))
    gap_s = float(np.median(gaps_s[(gaps_s > 0.75 * least_s) & (gaps_s < 1.3 * least_s)]))
    return [gap_s / k for k in (1, 2) if _LEAST_S < gap_s / k < _MOST_S]
