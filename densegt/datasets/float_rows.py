"""Sweeps stored as rows of float32: read, and asked whether they can be what they should be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densegt.errors import InputError

# Ten times the points of a turn of the finest lidars; more is another kind of file.
MAX_POINTS = 10_000_000
# Farther than any automotive lidar reaches; beyond it a coordinate is damage, not a measurement.
MAX_RANGE_M = 1000.0

Float32 = NDArray[np.float32]


def check_size(path: Path, size_bytes: int, columns: int) -> None:
    """Whether a file can be a sweep with this many numbers a point, by its size.

    Raises:
        InputError: it is no whole number of points, or larger than any sweep.
    """
    bytes_per_point = 4 * columns
    left_over = size_bytes % bytes_per_point
    if left_over:
        what = f"{left_over} bytes left over; a sweep is a multiple of {bytes_per_point} bytes. Fetch it again"
        raise InputError(f"{path}: {what}")
    check_extent(path, size_bytes, columns)


def check_extent(path: Path, size_bytes: int, columns: int) -> None:
    """Whether a file is small enough for a sweep.

    Raises:
        InputError: it is larger than any.
    """
    if size_bytes > MAX_POINTS * 4 * columns:
        raise InputError(f"{path}: {size_bytes} bytes; a sweep has at most {MAX_POINTS} points of {4 * columns} bytes")


def read_rows(path: Path, columns: int) -> Float32:
    """The finite rows (N,columns) of a sweep's file.

    Raises:
        InputError: the file is missing, empty, too large or no whole number of points.
    """
    return finite_rows(path, read_bytes(path, columns), columns)


def read_bytes(path: Path, columns: int) -> bytes:
    """A sweep's file.

    Raises:
        InputError: the file is missing, empty, or larger than any sweep.
    """
    if path.exists() and not path.is_file():
        raise InputError(f"{path}: not a file")
    try:
        check_extent(path, path.stat().st_size, columns)
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    if not data:
        raise InputError(f"{path}: empty. Fetch it again")
    return data


def finite_rows(path: Path, data: bytes, columns: int) -> Float32:
    """The finite rows (N,columns) of a sweep.

    Raises:
        InputError: no whole number of points.
    """
    check_size(path, len(data), columns)
    rows: Float32 = np.frombuffer(data, dtype="<f4").reshape(-1, columns)
    # Row by row is slow, and hardly any sweep needs it: one number that is not finite makes the sum so.
    with np.errstate(over="ignore", invalid="ignore"):
        sound = bool(np.isfinite(rows.sum()))
    return rows if sound else rows[np.isfinite(rows).all(axis=1)]


def within_range(path: Path, rows: Float32, plausible: NDArray[np.bool_], columns: str) -> Float32:
    """The rows whose x, y, z lie within 1 km.

    Args:
        plausible: (N,) whether the other columns can be what they should.
        columns: their names, for the message.

    Raises:
        InputError: most rows cannot be measurements, as where bytes were lost at the file's beginning or it is another
            kind of file.
    """
    xyz = rows[:, :3]
    near = bool(xyz.min(initial=0) > -MAX_RANGE_M and xyz.max(initial=0) < MAX_RANGE_M)
    within = np.ones(len(xyz), dtype=np.bool_) if near else (np.abs(xyz) < MAX_RANGE_M).all(axis=1)
    sound = np.count_nonzero(within & plausible)
    if 2 * sound < len(rows) or not len(rows):
        what = f"only {sound} of {len(rows)} finite rows are x, y, z within {MAX_RANGE_M:.0f} m, {columns}"
        raise InputError(f"{path}: {what}. Not a sweep, or damaged")
    return rows if near else rows[within]
