"""What is known of surfels by the sweeps that measured them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Bool = NDArray[np.bool_]


class OfSweep(NamedTuple):
    """Figures of each sweep (S).

    Attributes:
        gap_px: the ring gap of its lidar; reach_px: greatest extent of a static surfel.
        near: whether its lidar was about where the camera is.
    """

    gap_px: Float32
    reach_px: Float32
    near: Bool


class OfSurfel(NamedTuple):
    """Figures of each surfel (N), first the static ones, then the transient ones, then movers'.

    Attributes:
        gap_px, reach_px: as of its sweep; other surfels' reach is theirs alone.
        age_s: time of measurement minus exposure.
        beside: measured from about where the camera is, about when it exposed.
        moving, transient: which are not static, and which of those are of no track.
    """

    gap_px: Float32
    reach_px: Float32
    age_s: Float32
    beside: Bool
    moving: Bool
    transient: Bool


@njit(cache=True, nogil=True)
def measured_by(
    sweep: NDArray[np.int32],
    time_s: Float32,
    of_sweep: OfSweep,
    exposure_s: float,
    beside_s: float,
    static: int,
    transient: int,
    out: OfSurfel,
) -> None:
    """Fill `out` (N,).

    On movers nothing else fills the gaps between rings, so they reach across half of one; transient surfels come from
    one sweep, and the camera may be four times as near to them as the lidar.

    Args:
        sweep: (N,) index; time_s: (N,) s.
        beside_s: greatest time between measurement and exposure of what is beside the camera.
        static, transient: how many surfels are.
    """
    exposure, within = np.float32(exposure_s), np.float32(beside_s)
    for i in range(len(sweep)):
        s = sweep[i]
        gap = of_sweep.gap_px[s]
        age = time_s[i] - exposure
        is_transient = static <= i < static + transient
        reach = gap / np.float32(2) * np.float32(4 if is_transient else 1)
        out.gap_px[i], out.age_s[i] = gap, age
        out.reach_px[i] = of_sweep.reach_px[s] if i < static else reach
        out.beside[i] = of_sweep.near[s] and abs(age) <= within
        out.moving[i], out.transient[i] = i >= static, is_transient
