"""Reads a sweep: float32 rows of x, y, z, intensity and, where known, ring; or PCD, NPY and NPZ with named columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from densegt.datasets import float_rows
from densegt.datasets.beams import beam_elevations, nearest_beam, ring_fault
from densegt.datasets.float_rows import MAX_RANGE_M
from densegt.datasets.scene import Points, Sweep
from densegt.datasets.sweep_columns import SUFFIXES, numbers, read_columns
from densegt.errors import InputError

COLUMNS = 5
BYTES_PER_POINT = 4 * COLUMNS
# Beams are numbered from 0; some recordings write -1 for unknown.
RINGS = (-1, 1023)
# Named columns that are read; time_s is relative to the stamp.
_NAMES = ("x", "y", "z", "intensity", "ring", "time_s")
# Where a fifth column is no ring it may be the time within a turn.
_MOST_TIME_S = 1.0
_NEARLY_ALL = 0.95
# Enough rows to see what a file is.
_HEAD_BYTES = 80 * 50


class SweepColumns(NamedTuple):
    """A sweep's rows (N) as its file has them; `ring` and `time_s` are None where it has none."""

    xyz_lidar: NDArray[np.float32]
    intensity: NDArray[np.float32]
    ring: NDArray[np.floating[Any]] | None
    time_s: NDArray[np.float32] | None = None

    def points(self, elevations: NDArray[np.float64] | None) -> Points:
        """Points whose rings are those of the file; where there are none, the nearest of elevations (R,) rad."""
        if elevations is None and (self.ring is None or self.ring.min() == self.ring.max()):
            elevations = beam_elevations(self.xyz_lidar)
        if elevations is not None:
            ring = nearest_beam(self.xyz_lidar, elevations)
        elif self.ring is not None:
            ring = np.clip(self.ring, 0, RINGS[1]).astype(np.uint16)
        return Points(self.xyz_lidar, self.intensity, ring, self.time_s)


class Beams(NamedTuple):
    """Elevations (R,) rad of a lidar's beams, whose files' rings cannot be used, and why."""

    elevations: NDArray[np.float64]
    why: str


def read_points(sweep: Sweep) -> Points:
    """Read one sweep; see `read_sweep`."""
    return read_sweep(sweep.path)


def read_sweep(path: Path, beams: Beams | None = None) -> Points:
    """Read a sweep's file; rows that are not finite or beyond 1 km are left out.

    Args:
        beams: where the file's rings cannot be used; None takes them from the file, or from this sweep's elevations
            where it has none.

    Raises:
        InputError: the file is missing, empty, too large or cut off; or most of its rows cannot be measurements.
    """
    return read_sweep_columns(path).points(None if beams is None else beams.elevations)


def beams_of(path: Path) -> Beams | None:
    """The beams of the lidar of a sweep whose file has no ring, or one that means nothing; None where it has.

    Raises:
        InputError: as `read_sweep`.
    """
    xyz_lidar, _, ring, _ = read_sweep_columns(path)
    fault = "its files name none" if ring is None else ring_fault(xyz_lidar, ring)
    return None if fault is None else Beams(beam_elevations(xyz_lidar), fault)


def problem(path: Path) -> tuple[str, str] | None:
    """What is wrong with a sweep's file, by its size and first rows, or its header: (kind, words), None: nothing.

    Raises:
        OSError: it cannot be read.
    """
    try:
        if path.suffix in SUFFIXES:
            read_columns(path)
            return None
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
        float_rows.check_extent(path, path.stat().st_size, COLUMNS)
        if left_over(path, path.stat().st_size):
            return "truncated", left_over_line(path.stat().st_size)
        if np.isfinite(np.frombuffer(head[: len(head) // 4 * 4], dtype="<f4")).any():
            _float_columns(path, head)
    except InputError as error:
        return "unreadable", str(error).removeprefix(f"{path}: ")
    return None


def left_over(path: Path, size_bytes: int) -> bool:
    """Whether a file of float32 is no whole number of points, of five columns or of four; others are not asked.

    Raises:
        OSError: it cannot be read.
    """
    if path.suffix in SUFFIXES or size_bytes % BYTES_PER_POINT == 0:
        return False
    if size_bytes % 16:
        return True
    with path.open("rb") as file:
        return _has_rings(file.read(_HEAD_BYTES))


def read_sweep_columns(path: Path) -> SweepColumns:
    """The rows of a sweep's file that can be measurements; see `read_sweep`."""
    if path.suffix in SUFFIXES:
        return _named_columns(path)
    return _float_columns(path, float_rows.read_bytes(path, COLUMNS))


def _float_columns(path: Path, data: bytes) -> SweepColumns:
    """Rows of five float32; where these are none, of four, or of five the last of which is no ring."""
    if len(data) % BYTES_PER_POINT == 0:
        rows = float_rows.finite_rows(path, data, COLUMNS)
        ring = rows[:, 4]
        has_beam = (ring == np.floor(ring)) & (ring >= RINGS[0]) & (ring <= RINGS[1])
        refused = None
        try:
            rows = float_rows.within_range(path, rows, has_beam, "intensity and a ring")
            return SweepColumns(np.ascontiguousarray(rows[:, :3]), np.ascontiguousarray(rows[:, 3]), rows[:, 4])
        except InputError as error:
            refused = error
    else:
        refused = InputError(f"{path}: {left_over_line(len(data))}. Fetch it again")
    rows_without = _without_ring(data)
    if rows_without is None:
        raise refused
    return SweepColumns(np.ascontiguousarray(rows_without[:, :3]), np.ascontiguousarray(rows_without[:, 3]), None)


def _without_ring(data: bytes) -> float_rows.Float32 | None:
    """Rows of four float32, or of five whose last may be a time; None where they can be neither.

    Read with the wrong width, or from the wrong byte, coordinates stand where the intensity should, and are negative.
    """
    for columns in (COLUMNS, COLUMNS - 1):
        if len(data) % (4 * columns) or (columns < COLUMNS and _has_rings(data)):
            continue
        rows: float_rows.Float32 = np.frombuffer(data, dtype="<f4").reshape(-1, columns)
        rows = rows[np.isfinite(rows).all(axis=1)]
        sound = (np.abs(rows[:, :3]) < MAX_RANGE_M).all(axis=1) & (rows[:, 3] >= 0)
        with np.errstate(over="ignore"):
            is_time = columns < COLUMNS or (len(rows) and float(np.ptp(rows[:, 4])) <= _MOST_TIME_S)
        if is_time and sound.any() and sound.mean() >= _NEARLY_ALL:
            kept: float_rows.Float32 = rows[sound]
            return kept
    return None


def _has_rings(data: bytes) -> bool:
    """Whether each fifth number is a whole one, as rings are, also where the last row is cut off."""
    rows = np.frombuffer(data[: len(data) // BYTES_PER_POINT * BYTES_PER_POINT], dtype="<f4").reshape(-1, COLUMNS)
    with np.errstate(invalid="ignore"):
        ring = rows[:, 4]
        return len(ring) > 0 and 2 * np.count_nonzero((ring == np.floor(ring)) & (ring <= RINGS[1])) >= len(ring)


def left_over_line(size_bytes: int) -> str:
    """Words for a file that is no whole number of points."""
    return f"{size_bytes % BYTES_PER_POINT} bytes left over; a sweep is a multiple of {BYTES_PER_POINT} bytes"


def _named_columns(path: Path) -> SweepColumns:
    known = numbers(path, read_columns(path), _NAMES)
    xyz = np.stack([known[name] for name in "xyz"], axis=1).astype(np.float32)
    sound = (np.abs(xyz) < MAX_RANGE_M).all(axis=1)
    if 2 * np.count_nonzero(sound) < len(sound) or not sound.any():
        what = f"only {np.count_nonzero(sound)} of {len(sound)} rows are x, y, z within {MAX_RANGE_M:.0f} m"
        raise InputError(f"{path}: {what}. Not a sweep, or damaged")
    intensity = known.get("intensity", np.zeros(len(xyz)))[sound].astype(np.float32)
    ring = known["ring"][sound].astype(np.float32) if "ring" in known else None
    if ring is not None and not ((ring == np.floor(ring)) & (ring >= RINGS[0]) & (ring <= RINGS[1])).all():
        ring = None
    time_s = known["time_s"][sound].astype(np.float32) if "time_s" in known else None
    return SweepColumns(xyz[sound], np.nan_to_num(intensity), ring, time_s)
