"""The columns of a sweep stored as NPZ, NPY or PCD, by name."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.bounded_file import MAX_SWEEP_BYTES, read_bounded
from densegt.datasets.pcd import read_pcd
from densegt.errors import InputError

SUFFIXES = (".npz", ".npy", ".pcd")
# The order of the columns of a plain NPY array.
COLUMNS = ("x", "y", "z", "intensity", "ring", "time_s")
MAX_POINTS = 10_000_000
_MAX_ARRAYS = 256


def read_columns(path: Path) -> dict[str, NDArray[Any]]:
    """What a file has, by name; (N,) each where it is sound, see `numbers`.

    Raises:
        InputError: missing, damaged, or no x, y, z in it.
    """
    columns = _columns(path)
    missing = [name for name in COLUMNS[:3] if name not in columns]
    if missing:
        raise InputError(f"{path}: no {', '.join(missing)}; there is {', '.join(map(str, columns)) or 'nothing'}")
    return columns


def numbers(path: Path, columns: dict[str, NDArray[Any]], names: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """Those of some columns that are there, as long as each other.

    Raises:
        InputError: one is no column of numbers, or they differ in length.
    """
    known = {name: _numbers(path, name, columns[name]) for name in names if name in columns}
    if len({len(values) for values in known.values()}) > 1:
        raise InputError(f"{path}: columns of {sorted({len(v) for v in known.values()})} rows; each point has all")
    return known


def _columns(path: Path) -> dict[str, NDArray[Any]]:
    if path.suffix == ".pcd":
        return read_pcd(path)
    data = io.BytesIO(read_bounded(path, MAX_SWEEP_BYTES))
    try:
        if path.suffix == ".npz":
            return _split_xyz(_archive(data))
        loaded = np.load(data, allow_pickle=False)
    # Damaged files raise nearly anything: BadZipFile, zlib.error, SyntaxError, MemoryError, ...
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


def _archive(data: io.BytesIO) -> dict[str, NDArray[Any]]:
    """The arrays of an NPZ file.

    Raises:
        ValueError: they would be larger than those of any sweep.
    """
    with zipfile.ZipFile(data) as archive:
        sizes = [entry.file_size for entry in archive.infolist()]
    if len(sizes) > _MAX_ARRAYS or sum(sizes) > MAX_SWEEP_BYTES:
        raise ValueError(f"{len(sizes)} arrays of {sum(sizes)} bytes; at most {MAX_SWEEP_BYTES} are read")
    data.seek(0)
    with np.load(data, allow_pickle=False) as loaded:
        return {name: loaded[name] for name in loaded.files}


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
