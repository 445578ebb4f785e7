"""Tables in Arrow's feather format, their columns checked and as numpy arrays."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.argoverse2.inflated_size import inflated_bytes
from densegt.datasets.bounded_file import MAX_SWEEP_BYTES, read_bounded
from densegt.errors import InputError
from densegt.geometry import se3
from densegt.install_hint import install_command

Columns = dict[str, NDArray[Any]]

MAX_ROWS = 10_000_000
# Before the stream: ARROW1 and two zeros.
_MAGIC_BYTES = 8
POSE = dict.fromkeys(("qw", "qx", "qy", "qz", "tx_m", "ty_m", "tz_m"), "f8")


def read_columns(path: Path, wanted: Mapping[str, str]) -> Columns:
    """Columns of a table by name.

    Args:
        wanted: numpy's type by name; "U" is text, as Python strings. What is asked for as integers must be integers in
            the file: stamps in nanoseconds do not survive a float64.

    Raises:
        InputError: pyarrow is not installed; the file is missing or damaged, or a column is missing, of another type or
            has empty cells.
    """
    try:
        import pyarrow as pa
        from pyarrow import ipc
    except ImportError:
        raise InputError(f"{path}: reading feather files takes pyarrow; {install_command('recordings')}") from None
    data = pa.py_buffer(read_bounded(path, MAX_SWEEP_BYTES))
    try:
        # The file's end says how many pieces there should be. It may refer to one piece again and again, so they are
        # read as the stream that they are too.
        with ipc.open_file(data) as file:
            pieces = file.num_record_batches
        stream = data[_MAGIC_BYTES:]
        inflated = inflated_bytes(stream)
        if inflated > MAX_SWEEP_BYTES:
            raise ValueError(f"{inflated >> 20} MiB once inflated; at most {MAX_SWEEP_BYTES >> 20} MiB are read")
        with ipc.open_stream(stream) as file:
            table = file.read_all()
        if len(table.to_batches()) != pieces or table.num_rows > MAX_ROWS:
            raise ValueError(
                f"{len(table.to_batches())} pieces of {pieces}, {table.num_rows} rows of {MAX_ROWS} at most"
            )
        # Offsets and lengths in a damaged file may point anywhere.
        table.validate(full=True)
        names = table.schema.names
    # Arrow raises its own errors and Python's, by where it stumbles.
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError, MemoryError, OverflowError) as error:
        raise InputError(f"{path}: not a whole feather file ({_one_line(error)}); fetch it again") from None
    for name in wanted:
        if names.count(name) != 1:
            raise InputError(f"{path}: {names.count(name) or 'no'} column {name!r}; there is {', '.join(names)}")
    return {name: _as_numpy(path, name, table.column(name), dtype) for name, dtype in wanted.items()}


def _as_numpy(path: Path, name: str, column: Any, dtype: str) -> NDArray[Any]:
    import pyarrow as pa

    kind = column.type
    if column.null_count:
        raise InputError(f"{path}: column {name!r} has {column.null_count} empty cells")
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    number = pa.types.is_integer(kind) or (pa.types.is_floating(kind) and dtype[0] == "f")
    if not (text if dtype == "U" else number):
        what = {"U": "text", "i": "whole numbers", "f": "numbers"}[dtype[0]]
        raise InputError(f"{path}: column {name!r} is {kind}, not {what}")
    try:
        return np.array(column.to_pylist(), dtype=object) if text else column.to_numpy().astype(dtype)
    except (ValueError, UnicodeDecodeError, OverflowError) as error:
        raise InputError(f"{path}: column {name!r}: {_one_line(error)}") from None


def poses_of(path: Path, columns: Columns) -> NDArray[np.float64]:
    """T (N,4,4) from the columns `POSE`.

    Raises:
        InputError: a row is no pose.
    """
    rotation, translation = (
        np.stack([columns[n] for n in names], axis=1) for names in (list(POSE)[:4], list(POSE)[4:])
    )
    try:
        return se3.from_quaternions(rotation, translation)
    except ValueError as error:
        raise InputError(f"{path}: {error}") from None


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
