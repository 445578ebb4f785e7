"""Are time stamps in microseconds? Told from the tables, before anything is made of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.nuscenes.columns import SceneRows
from densegt.datasets.sanity.clock import PERIOD_S, UNITS

# From keyframe to keyframe, where these are all that is listed: what may be, and what is usual.
_KEYFRAMES_S = (0.02, 30.0)
_USUAL_KEYFRAMES_S = (0.04, 2.1)
# Stamps of two tables that differ by so much are in different units.
_SAME_UNIT = 3.0


class Stamps(NamedTuple):
    """Time stamps of a scene's sweeps (N), in any order; each with its lidar, a number, and the stamp of its sample."""

    sweep_us: NDArray[np.int64]
    sample_us: NDArray[np.int64]
    lidar: NDArray[np.integer[Any]]
    is_keyframe: NDArray[np.bool_]

    @classmethod
    def of(cls, rows: SceneRows) -> Stamps:
        """Those of a scene's rows."""
        data, own = rows.data, rows.is_lidar
        sample_us = rows.samples.timestamp_us[data.sample[own]]
        return cls(data.timestamp_us[own], sample_us, data.calibration[own], data.is_keyframe[own])


def unit_problem(stamps: Stamps) -> tuple[str, str] | None:
    """The table whose stamps are in another unit than microseconds, and words for it; None where none is."""
    return _sweeps(stamps) or _samples(stamps)


def _sweeps(stamps: Stamps) -> tuple[str, str] | None:
    by_lidar = [np.sort(stamps.sweep_us[stamps.lidar == lidar]) for lidar in np.unique(stamps.lidar)]
    steps_us = np.concatenate([np.zeros(0), *map(np.diff, by_lidar)])
    # A sweep that is listed twice says nothing.
    steps_us = steps_us[steps_us > 0]
    if not len(steps_us):
        return None
    period_s = float(np.median(steps_us)) * 1e-6
    may_be, usual = (_KEYFRAMES_S, _USUAL_KEYFRAMES_S) if stamps.is_keyframe.all() else (PERIOD_S, PERIOD_S)
    units = [name for factor, name in UNITS.items() if usual[0] <= period_s / factor <= usual[1]]
    if may_be[0] <= period_s <= may_be[1] or not units:
        return None
    return "sample_data", f"{period_s:.3g} s from sweep to sweep; {_advice(units[0])}"


def _samples(stamps: Stamps) -> tuple[str, str] | None:
    """Of sample.json, where it counts in another unit than its sweeps."""
    data_us = stamps.sweep_us[stamps.is_keyframe].astype(np.float64)
    sample_us = stamps.sample_us[stamps.is_keyframe].astype(np.float64)
    if not len(data_us) or min(data_us.min(), sample_us.min()) <= 0:
        return None
    ratio = float(np.median(sample_us / data_us))
    units = [name for factor, name in UNITS.items() if 1 / _SAME_UNIT < ratio / factor < _SAME_UNIT]
    return ("sample", f"stamps are {ratio:.3g} times those of its sweeps; {_advice(units[0])}") if units else None


def _advice(unit: str) -> str:
    return f"stamps seem to be in {unit}, microseconds are wanted"
