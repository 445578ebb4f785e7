"""A sweep as NPZ, NPY or PCD: x y z, and whatever else it knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.beams import nearest_beam
from densegt.datasets.pcd import read_pcd
from densegt.datasets.scene import Points
from densegt.errors import InputError

SUFFIXES = (".npz", ".npy", ".pcd")
# The order of the columns of a plain NPY array.
COLUMNS = ("x", "y", "z", "intensity", "ring", "time_s")
MAX_RANGE_M = 1000.0
MAX_TIME_S = 1.0
MAX_POINTS = 10_000_000
MAX_RING = 1023


def read_sweep(path: Path, elevations: NDArray[np.float64] | None) -> Points:
    """A sweep's points; rows that cannot be measurements are left out.

    Args:
        elevations: (R,) rad of the beams, for files that name no ring; None leaves ring at 0.

    Raises:
        InputError: missing, damaged, or most rows cannot be measurements.
    """
    columns = _columns(path)
    missing = [name for name in COLUMNS[:3] if name not in columns]
    if missing:
        raise InputError(f"{path}: no {', '.join(missing)}; there is {', '.join(map(str, columns)) or 'nothing'}")
    known = {name: _numbers(path, name, columns[name]) for name in COLUMNS if name in columns}
    if len({len(values) for values in known.values()}) > 1:
        raise InputError(f"{path}: columns of {sorted({len(v) for v in known.values()})} rows; each point has all")
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
    return "ring" in _columns(path)


def _columns(path: Path) -> dict[str, NDArray[Any]]:
    """What the file has, by name."""
    if path.suffix == ".pcd":
        return read_pcd(path)
    try:
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            if path.suffix == ".npz":
                return _split_xyz({name: loaded[name] for name in loaded.files})
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    # Damaged archives raise nearly anything: BadZipFile, zlib.error, SyntaxError, MemoryError, ...
    except Exception as error:
        raise InputError(f"{path}: not a whole {path.suffix[1:].upper()} file ({_one_line(error)})") from None
    if not isinstance(loaded, np.ndarray):
        raise InputError(f"{path}: an archive of arrays; name it .npz")
    if loaded.dtype.names:
        return {name: loaded[name] for name in loaded.dtype.names}
    if loaded.ndim != 2 or not 3 <= loaded.shape[1] <= len(COLUMNS):
        what = (
            f"an array {loaded.shape}; a row is {', '.join(COLUMNS[:3])} and as far as known {', '.join(COLUMNS[3:])}"
        )
        raise InputError(f"{path}: {what}")
    return dict(zip(COLUMNS, loaded.T, strict=False))


def _split_xyz(columns: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """x, y, z where they stand together as xyz (N,3)."""
    xyz = columns.get("xyz")
    if xyz is None or xyz.ndim != 2 or xyz.shape[1] != 3:
        return columns
    return {**columns, "x": xyz[:, 0], "y": xyz[:, 1], "z": xyz[:, 2]}


def _numbers(path: Path, name: str, values: NDArray[Any]) -> NDArray[Any]:
    if values.ndim != 1 or values.dtype.kind not in "fiu" or len(values) > MAX_POINTS:
        what = f"{name} is {values.dtype} {values.shape}; it should be numbers, one a point, of at most {MAX_POINTS}"
        raise InputError(f"{path}: {what}")
    return values


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
