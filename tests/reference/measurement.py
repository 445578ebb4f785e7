"""Slow twins of densegt.kernels.measurement."""

from __future__ import annotations

import numpy as np


def measured_by(sweep, time_s, of_sweep, exposure_s, beside_s, static, transient, out):
    """Group by group."""
    place = np.arange(len(sweep))
    age = time_s - np.float32(exposure_s)
    gap = of_sweep.gap_px[sweep]
    out.moving[:] = place >= static
    out.transient[:] = out.moving & (place < static + transient)
    out.reach_px[:] = np.select([~out.moving, out.transient], [of_sweep.reach_px[sweep], 2 * gap], gap / 2)
    out.gap_px[:], out.age_s[:] = gap, age
    out.beside[:] = of_sweep.near[sweep] & (np.abs(age) <= beside_s)
