"""Reads the HDL-64E's sweeps: float32 rows of x, y, z, reflectance, laser by laser from the top."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densegt.datasets import float_rows
from densegt.datasets.lidar_model import LidarModel
from densegt.datasets.scene import Points, Sweep

COLUMNS = 4
BYTES_PER_POINT = 4 * COLUMNS
CHANNEL = "velodyne"
# One turn of the recordings that were measured.
NOMINAL_PERIOD_S = 0.1032
# It can be set to 5 to 20 turns a second.
_PERIODS_S = (0.04, 0.25)
_MAX_RING = 1023


def lidar_model(period_s: float) -> LidarModel:
    """The model of a turn: clockwise, begun astern, the stamp when the beam faces ahead, ego motion still in it.

    Args:
        period_s: as measured; the nominal one where this is no HDL-64E's.
    """
    low, high = _PERIODS_S
    known = period_s if low < period_s < high else NOMINAL_PERIOD_S
    return LidarModel(
        clockwise=True, period_s=known, scan_start_azimuth_rad=float(np.pi), stamp_fraction=0.5, compensated=False
    )


def read_points(sweep: Sweep) -> Points:
    """Read one sweep; see `read_sweep`."""
    return read_sweep(sweep.path)


def read_sweep(path: Path) -> Points:
    """Read a sweep's file; rows that are not finite or beyond 1 km are left out.

    Raises:
        InputError: the file is missing, empty, too large or not a multiple of 16 bytes; or most of its rows cannot be
            measurements.
    """
    rows = float_rows.read_rows(path, COLUMNS)
    reflects = (rows[:, 3] >= 0) & (rows[:, 3] <= 1)
    rows = float_rows.within_range(path, rows, reflects, "reflectance from 0 to 1")
    return Points(
        xyz_lidar=np.ascontiguousarray(rows[:, :3]),
        intensity=np.clip(rows[:, 3], 0, 1) * np.float32(255),
        ring=rings(rows),
    )


def rings(rows: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Which laser measured each point (N,): their azimuths rise from 0 to a full turn, and then the next laser begins.

    The top laser is 0.
    """
    left = rows[:, 1] >= 0
    ahead = rows[:, 0] > 0
    # A step back across straight ahead is noise of two neighbours, as is one across straight astern.
    passed = ~left[:-1] & left[1:] & (ahead[:-1] | ahead[1:])
    back = left[:-1] & ~left[1:] & ahead[:-1] & ahead[1:]
    count = np.zeros(len(rows), dtype=np.int64)
    np.cumsum(passed.astype(np.int64) - back, out=count[1:])
    return np.clip(count, 0, _MAX_RING).astype(np.uint16)
