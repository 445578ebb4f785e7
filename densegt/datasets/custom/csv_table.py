"""poses.csv and boxes.csv: a header with the columns' names, then rows of numbers and words."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.bounded_file import read_bounded
from densegt.datasets.custom.settings import Settings
from densegt.datasets.scene import Track
from densegt.errors import InputError
from densegt.geometry import se3

Float64 = NDArray[np.float64]

# Hours of poses, or of boxes; a word takes far more memory than its bytes.
MAX_CELLS = 1 << 22
POSE_COLUMNS = ("timestamp_us", "x", "y", "z", "qw", "qx", "qy", "qz")
BOX_COLUMNS = ("timestamp_us", "track", "category", "x", "y", "z", "l", "w", "h", "yaw")


def read_columns(path: Path, wanted: Sequence[str]) -> dict[str, list[str]]:
    """Columns by name, as text; others may stand beside them.

    Raises:
        InputError: the file is missing, too large or no CSV, a column is missing, or a row is too short.
    """
    try:
        rows = _rows(io.StringIO(read_bounded(path).decode("utf-8"), newline=""))
        header = next(rows, [])
        missing = [name for name in wanted if name not in header]
        if missing:
            what = f"no column {', '.join(missing)} in its first line; it should be {','.join(wanted)}"
            raise InputError(f"{path}: {what}")
        at = [header.index(name) for name in wanted]
        columns: list[list[str]] = [[] for _ in wanted]
        for number, row in enumerate(rows, start=2):
            if len(row) < len(header):
                raise InputError(f"{path}: row {number} has {len(row)} cells of {len(header)}")
            if number * len(wanted) > MAX_CELLS:
                raise InputError(f"{path}: more than {MAX_CELLS // len(wanted)} rows; no such table is as long")
            for column, k in zip(columns, at, strict=True):
                column.append(row[k])
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not CSV ({error})") from None
    return dict(zip(wanted, columns, strict=True))


def _rows(lines: io.StringIO) -> Iterator[list[str]]:
    for row in csv.reader(lines):
        cells = [cell.strip() for cell in row]
        if any(cells):
            yield cells


def numbers(path: Path, columns: dict[str, list[str]], names: Sequence[str]) -> Float64:
    """Columns (N,len(names)) as finite numbers.

    Raises:
        InputError: a cell is none; it names row and column.
    """
    table = np.empty((len(columns[names[0]]), len(names)))
    for k, name in enumerate(names):
        for row, text in enumerate(columns[name]):
            try:
                table[row, k] = float(text)
            except ValueError:
                table[row, k] = np.nan
            if not np.isfinite(table[row, k]):
                raise InputError(f"{path}: row {row + 2}: {name} is {text[:40]!r}, not a number")
    return table


def stamps_us(path: Path, columns: dict[str, list[str]]) -> NDArray[np.int64]:
    """The column timestamp_us (N,).

    Raises:
        InputError: a cell is no whole number of microseconds.
    """
    for row, text in enumerate(columns["timestamp_us"]):
        if not (text.isascii() and text.isdecimal() and len(text) <= 19 and int(text) < 2**62):
            raise InputError(f"{path}: row {row + 2}: timestamp_us is {text[:40]!r}, not whole microseconds")
    return np.array([int(text) for text in columns["timestamp_us"]], dtype=np.int64)


def read_tracks(path: Path, settings: Settings) -> tuple[Track, ...]:
    """The tracks of boxes.csv; none where there is no such file.

    Raises:
        InputError: a cell is no number, or a size is not positive.
    """
    if not path.exists():
        return ()
    columns = read_columns(path, BOX_COLUMNS)
    stamp_us = stamps_us(path, columns)
    values = numbers(path, columns, BOX_COLUMNS[3:])
    for row in np.flatnonzero((values[:, 3:6] <= 0).any(axis=1))[:1].tolist():
        raise InputError(f"{path}: row {row + 2}: l, w, h {values[row, 3:6].tolist()} are not a box's")
    rows_of: dict[str, list[int]] = {}
    for row, token in enumerate(columns["track"]):
        rows_of.setdefault(token, []).append(row)
    tracks = []
    for token, mine in rows_of.items():
        # Two boxes of one track at one time contradict each other; the first is kept.
        timestamps_us, at = np.unique(stamp_us[mine], return_index=True)
        category = columns["category"][mine[0]]
        tracks.append(
            Track(
                token=token,
                category=category,
                kind=settings.kind(category),
                size_lwh_m=np.median(values[mine, 3:6], axis=0),
                timestamps_us=timestamps_us,
                T_global_box=np.stack([se3.from_yaw(values[mine[k], 6], values[mine[k], :3]) for k in at]),
            )
        )
    return tuple(tracks)
