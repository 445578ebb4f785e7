"""Reads `.pcd.bin`: float32 rows of x, y, z, intensity, ring."""

from __future__ import annotations

import numpy as np

from densegt.datasets.scene import Points, SweepMeta
from densegt.errors import InputError

BYTES_PER_POINT = 20
# Farther than any automotive lidar reaches; beyond it a coordinate is damage, not a measurement.
MAX_RANGE_M = 1000.0


def read_points(sweep: SweepMeta) -> Points:
    """Read one sweep; rows that are not finite or beyond 1 km are left out.

    Raises:
        InputError: the file is missing, empty, or not a multiple of 20 bytes.
    """
    try:
        data = sweep.path.read_bytes()
    except OSError as error:
        raise InputError(f"{sweep.path}: {error.strerror or error}") from None
    left_over = len(data) % BYTES_PER_POINT
    if left_over or not data:
        what = f"{left_over} bytes left over" if left_over else "empty"
        raise InputError(f"{sweep.path}: {what}; a sweep is a multiple of {BYTES_PER_POINT} bytes. Fetch it again")
    rows = np.frombuffer(data, dtype="<f4").reshape(-1, 5)
    with np.errstate(over="ignore", invalid="ignore"):
        sound = np.isfinite(rows).all(axis=1) & (np.abs(rows[:, :3]) < MAX_RANGE_M).all(axis=1)
    rows = rows[sound]
    return Points(
        xyz_lidar=np.ascontiguousarray(rows[:, :3]),
        intensity=np.ascontiguousarray(rows[:, 3]),
        ring=np.clip(rows[:, 4], 0, 255).astype(np.uint8),
    )
