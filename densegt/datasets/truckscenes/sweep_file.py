"""Reads `.pcd` sweeps: x, y, z, intensity and each point's time in microseconds; no ring."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.beams import beam_elevations, nearest_beam
from densegt.datasets.float_rows import MAX_RANGE_M
from densegt.datasets.pcd import read_pcd
from densegt.datasets.scene import Points
from densegt.errors import InputError

MAX_TIME_S = 1.0
_HEADER_BYTES = 4096
_WANTED = ("x", "y", "z", "intensity", "timestamp")


def read_sweep(path: Path, stamp_us: int, first: Path) -> Points:
    """A sweep's points; rows that cannot be measurements are left out.

    Args:
        first: the sweep of the same lidar whose points tell the elevations of its beams, which make the rings.

    Raises:
        InputError: missing, damaged, or most rows cannot be measurements.
    """
    xyz, intensity, time_s = _rows(path, stamp_us)
    return Points(xyz, intensity, nearest_beam(xyz, _elevations(first)), time_s)


def is_timed_pcd(path: Path) -> bool:
    """Whether a file is a `.pcd` with stamps of its points and without rings."""
    if path.suffix != ".pcd":
        return False
    try:
        with path.open("rb") as file:
            head = file.read(_HEADER_BYTES)
    except OSError:
        return False
    fields = next((line.split() for line in head.splitlines() if line.startswith(b"FIELDS")), [])
    return b"timestamp" in fields and b"ring" not in fields


@lru_cache(maxsize=32)
def _elevations(path: Path) -> NDArray[np.float64]:
    return beam_elevations(_rows(path, None)[0])


def _rows(path: Path, stamp_us: int | None) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """x, y, z (N,3), intensity (N,), s after the stamp (N,); after the first point's where no stamp is given."""
    columns = read_pcd(path)
    missing = [name for name in _WANTED if name not in columns]
    if missing:
        raise InputError(f"{path}: no {', '.join(missing)}; there is {', '.join(columns) or 'nothing'}")
    # Damaged numbers may be too large for float32, or no numbers; such rows are left out below.
    with np.errstate(over="ignore", invalid="ignore"):
        xyz = np.stack([columns[name] for name in "xyz"], axis=1).astype(np.float32)
        intensity = columns["intensity"].astype(np.float32)
        stamps_us = columns["timestamp"].astype(np.float64)
    start_us = stamp_us if stamp_us is not None else (float(stamps_us[0]) if len(stamps_us) else 0.0)
    time_s = (stamps_us - start_us) * 1e-6
    sound = (np.abs(xyz) < MAX_RANGE_M).all(axis=1) & (np.abs(time_s) < MAX_TIME_S)
    sound &= np.isfinite(intensity)
    if not sound.any() or 2 * np.count_nonzero(sound) < len(sound):
        what = f"only {np.count_nonzero(sound)} of {len(sound)} rows lie within {MAX_RANGE_M:.0f} m and a second"
        raise InputError(f"{path}: {what}. Not a sweep, or damaged")
    return xyz[sound], intensity[sound], time_s[sound].astype(np.float32)
