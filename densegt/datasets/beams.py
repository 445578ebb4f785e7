"""Rings of a sweep that names none, or wrong ones: each beam of a spinning lidar keeps its elevation all around."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_BIN_RAD = float(np.deg2rad(0.02))
# Beams nearer than twice this run into one.
_SMOOTH_BINS = 3
# A beam has at least this share of what an even one would have of 128.
_LEAST_SHARE = 0.1 / 128
# Noise makes hills of its own on a beam's flanks.
_LEAST_PROMINENCE = 0.3
_FAR_M = 3.0
# A lidar whose beams lie closer together than this is a plane's.
_PLANE_RAD = float(np.deg2rad(1.0))
# Spread of elevations within a ring, of that of all points: rings that are beams have a twentieth.
_MOST_SPREAD = 0.5
_LEAST_POINTS = 20


def beam_elevations(xyz_lidar: NDArray[np.float32]) -> NDArray[np.float64]:
    """Elevations (R,) rad, increasing, that points (N,3) crowd at; at least one."""
    from scipy.ndimage import gaussian_filter1d
    from scipy.signal import find_peaks

    elevation = _elevation(xyz_lidar)[np.linalg.norm(xyz_lidar, axis=1) > _FAR_M]
    if not len(elevation):
        return np.zeros(1)
    low = float(elevation.min()) - 10 * _BIN_RAD
    bins = np.floor((elevation - low) / _BIN_RAD).astype(np.int64)
    density = gaussian_filter1d(np.bincount(bins, minlength=bins.max() + 10).astype(np.float64), _SMOOTH_BINS)
    peaks, about = find_peaks(density, height=_LEAST_SHARE * len(elevation) / (2.5 * _SMOOTH_BINS), prominence=0)
    peaks = peaks[about["prominences"] > _LEAST_PROMINENCE * density[peaks]]
    found: NDArray[np.float64] = low + (peaks + 0.5) * _BIN_RAD
    return found if len(found) else np.array([float(np.median(elevation))])


def nearest_beam(xyz_lidar: NDArray[np.float32], elevations: NDArray[np.float64]) -> NDArray[np.uint16]:
    """Ring (N,) of each point: the beam nearest in elevation, from the lowest up."""
    between = (elevations[1:] + elevations[:-1]) / 2
    return np.searchsorted(between, _elevation(xyz_lidar)).astype(np.uint16)


def ring_fault(xyz_lidar: NDArray[np.float32], ring: NDArray[np.floating[Any]]) -> str | None:
    """Why rings (N,), as a file has them, cannot be the beams of points (N,3); None where they can.

    Their order tells nothing: some are numbered as they fire, and two lidars in one file one after the other.
    """
    far = np.linalg.norm(xyz_lidar, axis=1) > _FAR_M
    elevation, ring = _elevation(xyz_lidar[far]), ring[far]
    if len(ring) < _LEAST_POINTS or float(np.ptp(np.quantile(elevation, (0.02, 0.98)))) < _PLANE_RAD:
        return None
    names, row, count = np.unique(ring, return_inverse=True, return_counts=True)
    if len(names) == 1:
        return f"each point has ring {names[0]:g}"
    mean = np.bincount(row, elevation) / count
    if float(np.std(elevation - mean[row])) > _MOST_SPREAD * float(np.std(elevation)):
        return "a ring's points lie at all elevations"
    return None


def _elevation(xyz_lidar: NDArray[np.float32]) -> NDArray[np.float64]:
    x, y, z = xyz_lidar.astype(np.float64).T
    elevation: NDArray[np.float64] = np.arctan2(z, np.hypot(x, y))
    return elevation
