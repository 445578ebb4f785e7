"""Reads `.pcd.bin`: float32 rows of x, y, z, intensity, ring."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.scene import Points, Sweep
from densegt.errors import InputError

BYTES_PER_POINT = 20
# Ten times the points of a turn of the finest lidars; more is another kind of file.
MAX_POINTS = 10_000_000
# Beams are numbered from 0; some recordings write -1 for unknown.
RINGS = (-1, 1023)
# Farther than any automotive lidar reaches; beyond it a coordinate is damage, not a measurement.
MAX_RANGE_M = 1000.0


def check_size(path: Path, size_bytes: int) -> None:
    """Whether a file can be a sweep, by its size.

    Raises:
        InputError: it is no multiple of 20 bytes, or larger than any sweep.
    """
    left_over = size_bytes % BYTES_PER_POINT
    if left_over:
        what = f"{left_over} bytes left over; a sweep is a multiple of {BYTES_PER_POINT} bytes. Fetch it again"
        raise InputError(f"{path}: {what}")
    if size_bytes > MAX_POINTS * BYTES_PER_POINT:
        raise InputError(
            f"{path}: {size_bytes} bytes; a sweep has at most {MAX_POINTS} points of {BYTES_PER_POINT} bytes"
        )


def read_points(sweep: Sweep) -> Points:
    """Read one sweep; see `read_sweep`."""
    return read_sweep(sweep.path)


def read_sweep(path: Path) -> Points:
    """Read a sweep's file; rows that are not finite or beyond 1 km are left out.

    Raises:
        InputError: the file is missing, empty, too large or not a multiple of 20 bytes; or most of its rows cannot be
            measurements, as where bytes were lost at its beginning or it is another kind of file.
    """
    try:
        check_size(path, path.stat().st_size)
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    check_size(path, len(data))
    if not data:
        raise InputError(f"{path}: empty; a sweep is a multiple of {BYTES_PER_POINT} bytes. Fetch it again")
    rows = np.frombuffer(data, dtype="<f4").reshape(-1, 5)
    # Row by row is slow, and hardly any sweep needs it: one number that is not finite makes the sum so.
    with np.errstate(over="ignore", invalid="ignore"):
        sound = bool(np.isfinite(rows.sum()))
    if not sound:
        rows = rows[np.isfinite(rows).all(axis=1)]
    xyz = np.ascontiguousarray(rows[:, :3])
    near = bool(xyz.min(initial=0) > -MAX_RANGE_M and xyz.max(initial=0) < MAX_RANGE_M)
    within = np.ones(len(xyz), dtype=np.bool_) if near else (np.abs(xyz) < MAX_RANGE_M).all(axis=1)
    _check_plausible(path, rows, within)
    if not near:
        rows, xyz = rows[within], xyz[within]
    return Points(
        xyz_lidar=xyz,
        intensity=np.ascontiguousarray(rows[:, 3]),
        ring=np.clip(rows[:, 4], 0, RINGS[1]).astype(np.uint16),
    )


def _check_plausible(path: Path, rows: NDArray[np.float32], within: NDArray[np.bool_]) -> None:
    """Finite rows (N,5): are most of them points within 1 km, of a beam that has a number?"""
    ring = rows[:, 4]
    has_beam = (ring == np.floor(ring)) & (ring >= RINGS[0]) & (ring <= RINGS[1])
    sound = np.count_nonzero(within & has_beam)
    if 2 * sound < len(rows) or not len(rows):
        what = f"only {sound} of {len(rows)} finite rows are x, y, z within {MAX_RANGE_M:.0f} m, intensity and a ring"
        raise InputError(f"{path}: {what}. Not a sweep, or damaged; fetch it again")
