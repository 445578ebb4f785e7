"""KITTI's text files: numbers under a name, and stamps."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.bounded_file import read_bounded
from densegt.errors import InputError

Float64 = NDArray[np.float64]

# A line for each of the frames of hours; words take more memory than their bytes.
MAX_TEXT_BYTES = 1 << 24
_STAMP = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.(\d{1,9}))?")
_EPOCH = datetime(1970, 1, 1)


def read_bytes(path: Path) -> bytes:
    """A small file's content.

    Raises:
        InputError: it is missing, no file, too large or cannot be read.
    """
    return read_bounded(path, MAX_TEXT_BYTES)


def read_text(path: Path) -> str:
    """A file's text; what is no text becomes replacement characters. Raises as `read_bytes`."""
    return read_bytes(path).decode("utf-8", errors="replace")


def numbers(path: Path, text: str, count: int, what: str) -> Float64:
    """Exactly `count` finite numbers.

    Raises:
        InputError: there are more or fewer, or one is none.
    """
    try:
        # One more than there should be says that there are too many.
        values = np.array([float(word) for word in text.split(maxsplit=count + 1)[: count + 1]])
    except ValueError as error:
        raise InputError(f"{path}: {what}: {str(error)[:100]!r}") from None
    if values.shape != (count,) or not np.isfinite(values).all():
        finite = int(np.isfinite(values).sum())
        raise InputError(f"{path}: {what}: {finite} finite numbers of {len(values)}; there should be {count}")
    return values


def read_named_lines(path: Path) -> dict[str, str]:
    """What follows each `name:` at the beginning of a line.

    Raises:
        InputError: the file is missing or cannot be read.
    """
    pairs = (line.partition(":") for line in read_text(path).splitlines())
    return {name.strip(): values for name, colon, values in pairs if colon}


def read_stamps_us(path: Path) -> NDArray[np.int64]:
    """The stamps of a `timestamps.txt` (N,) us, cut from its nanoseconds; it names no zone, so it is taken for UTC.

    Raises:
        InputError: the file is missing, holds no stamp, or a line is none.
    """
    lines = read_text(path).rstrip().splitlines()
    if not lines:
        raise InputError(f"{path}: no time stamp in it")
    stamps = np.empty(len(lines), dtype=np.int64)
    for row, line in enumerate(lines):
        stamps[row] = _microseconds(path, row, line)
    return stamps


def _microseconds(path: Path, row: int, line: str) -> int:
    match = _STAMP.fullmatch(line.strip())
    try:
        if match is None:
            raise ValueError
        whole = (datetime.fromisoformat(match[1]) - _EPOCH) // timedelta(seconds=1)
    except ValueError:
        raise InputError(f"{path}: line {row + 1}: {line[:50]!r} is no time stamp") from None
    # A float would lose the last of nine decimals, and datetime keeps six.
    return whole * 1_000_000 + int((match[2] or "0").ljust(9, "0")) // 1000
