"""A sweep as NPZ, NPY or PCD: x y z, and whatever else it knows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.beams import nearest_beam
from densegt.datasets.scene import Points
from densegt.datasets.sweep_columns import COLUMNS, numbers, read_columns
from densegt.errors import InputError

MAX_RANGE_M = 1000.0
MAX_TIME_S = 1.0
MAX_RING = 1023


def read_sweep(path: Path, elevations: NDArray[np.float64] | None) -> Points:
    """A sweep's points; rows that cannot be measurements are left out.

    Args:
        elevations: (R,) rad of the beams, for files that name no ring; None leaves ring at 0.

    Raises:
        InputError: missing, damaged, or most rows cannot be measurements.
    """
    known = numbers(path, read_columns(path), COLUMNS)
    xyz = np.stack([known[name] for name in COLUMNS[:3]], axis=1).astype(np.float32)
    sound = (np.abs(xyz) < MAX_RANGE_M).all(axis=1)
    for name, (least, most) in {"ring": (0, MAX_RING), "time_s": (-MAX_TIME_S, MAX_TIME_S)}.items():
        if name in known:
            sound &= (known[name] >= least) & (known[name] <= most)
    if not sound.any() or 2 * np.count_nonzero(sound) < len(sound):
        what = f"x, y, z within {MAX_RANGE_M:.0f} m, ring 0 to {MAX_RING}, time_s within {MAX_TIME_S:.0f} s"
        raise InputError(f"{path}: only {np.count_nonzero(sound)} of {len(sound)} rows have {what}")
    xyz = xyz[sound]
    intensity = known["intensity"][sound] if "intensity" in known else np.zeros(len(xyz))
    if "ring" in known:
        ring = known["ring"][sound].astype(np.uint16)
    else:
        ring = np.zeros(len(xyz), dtype=np.uint16) if elevations is None else nearest_beam(xyz, elevations)
    return Points(
        xyz_lidar=xyz,
        intensity=np.nan_to_num(np.clip(intensity, 0, 65535)).astype(np.float32),
        ring=ring,
        time_s=known["time_s"][sound].astype(np.float32) if "time_s" in known else None,
    )


def names_rings(path: Path) -> bool:
    """Whether a sweep's file says which beam each point is of.

    Raises:
        InputError: it cannot be read.
    """
    return "ring" in read_columns(path)
