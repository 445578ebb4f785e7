"""Reads `.pcd.bin`: float32 rows of x, y, z, intensity, ring."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from densegt.datasets import float_rows
from densegt.datasets.scene import Points, Sweep

COLUMNS = 5
BYTES_PER_POINT = 4 * COLUMNS
# Beams are numbered from 0; some recordings write -1 for unknown.
RINGS = (-1, 1023)


def check_size(path: Path, size_bytes: int) -> None:
    """Whether a file can be a sweep, by its size; see `densegt.datasets.float_rows.check_size`."""
    float_rows.check_size(path, size_bytes, COLUMNS)


def read_points(sweep: Sweep) -> Points:
    """Read one sweep; see `read_sweep`."""
    return read_sweep(sweep.path)


def read_sweep(path: Path) -> Points:
    """Read a sweep's file; rows that are not finite or beyond 1 km are left out.

    Raises:
        InputError: the file is missing, empty, too large or not a multiple of 20 bytes; or most of its rows cannot be
            measurements.
    """
    rows = float_rows.read_rows(path, COLUMNS)
    ring = rows[:, 4]
    has_beam = (ring == np.floor(ring)) & (ring >= RINGS[0]) & (ring <= RINGS[1])
    rows = float_rows.within_range(path, rows, has_beam, "intensity and a ring")
    return Points(
        xyz_lidar=np.ascontiguousarray(rows[:, :3]),
        intensity=np.ascontiguousarray(rows[:, 3]),
        ring=np.clip(rows[:, 4], 0, RINGS[1]).astype(np.uint16),
    )
