"""Point Cloud Data files, ascii and binary, as columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.bounded_file import MAX_SWEEP_BYTES, read_bounded
from densegt.errors import InputError

MAX_POINTS = 10_000_000
# Of a file in text.
MAX_NUMBERS = 1 << 24
_HEADER_BYTES, _PIECE_BYTES, _MAX_WORD_BYTES = 4096, 1 << 20, 1000
_TYPES = {"F": "f", "I": "i", "U": "u"}


def read_pcd(path: Path) -> dict[str, NDArray[Any]]:
    """Columns (N,) by field name, of the fields with one value a point.

    Raises:
        InputError: missing, no PCD file, cut off, or compressed.
    """
    data = memoryview(read_bounded(path, MAX_SWEEP_BYTES))
    header, start = _header(path, data)
    try:
        dtype = _dtype(header)
        points = int(header["POINTS"][0] if "POINTS" in header else header["WIDTH"][0])
        encoding = header["DATA"][0]
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise InputError(f"{path}: not a whole PCD header ({error})") from None
    if not 0 <= points <= MAX_POINTS or points * dtype.itemsize > MAX_SWEEP_BYTES:
        raise InputError(
            f"{path}: {points} points of {dtype.itemsize} bytes; a sweep has at most {MAX_POINTS}, and "
            f"{MAX_SWEEP_BYTES >> 20} MiB"
        )
    if encoding == "binary":
        rows = _binary(path, data[start:], dtype, points)
    elif encoding == "ascii":
        rows = _ascii(path, data[start:], dtype, points)
    else:
        raise InputError(f"{path}: DATA {encoding[:40]} is not read; save it as binary or ascii")
    return {name: rows[name] for name in dtype.names or () if rows[name].ndim == 1}


def _header(path: Path, data: memoryview) -> tuple[dict[str, list[str]], int]:
    """The header's lines by their first word, and where the points start."""
    header: dict[str, list[str]] = {}
    head, start = bytes(data[:_HEADER_BYTES]), 0
    while "DATA" not in header:
        end = head.find(b"\n", start)
        if end < 0:
            raise InputError(f"{path}: not a PCD file: no line DATA in its header")
        words = head[start:end].decode("ascii", errors="replace").split()
        if words and not words[0].startswith("#"):
            header[words[0]] = words[1:]
        start = end + 1
    return header, start


def _dtype(header: dict[str, list[str]]) -> np.dtype[Any]:
    names = header["FIELDS"]
    counts = [int(count) for count in header.get("COUNT", ["1"] * len(names))]
    fields = []
    for k, (name, size, kind, count) in enumerate(zip(names, header["SIZE"], header["TYPE"], counts, strict=True)):
        # Padding is called _, as often as there is some.
        own = f"_{k}" if name == "_" else name
        form = f"<{_TYPES[kind]}{int(size)}"
        if not 1 <= count <= 1000:
            raise ValueError(f"COUNT {count}")
        fields.append((own, form) if count == 1 else (own, form, (count,)))
    return np.dtype(fields)


def _binary(path: Path, body: memoryview, dtype: np.dtype[Any], points: int) -> NDArray[Any]:
    if len(body) < points * dtype.itemsize:
        what = f"{len(body)} bytes for {points} points of {dtype.itemsize}"
        raise InputError(f"{path}: cut off: {what}")
    return np.frombuffer(body, dtype=dtype, count=points)


def _ascii(path: Path, body: memoryview, dtype: np.dtype[Any], points: int) -> NDArray[Any]:
    widths = [int(np.prod(dtype[name].shape)) for name in dtype.names or ()]
    try:
        table = _numbers(body, points * sum(widths)).reshape(points, sum(widths))
    except ValueError as error:
        raise InputError(
            f"{path}: {points} lines of {sum(widths)} numbers should follow DATA ascii ({error})"
        ) from None
    rows = np.zeros(points, dtype=dtype)
    columns = np.cumsum([0, *widths])
    with np.errstate(invalid="ignore", over="ignore"):
        for name, first, width in zip(dtype.names or (), columns, widths, strict=False):
            if width == 1 and dtype[name].shape == ():
                rows[name] = table[:, first].astype(dtype[name])
    return rows


def _numbers(body: memoryview, count: int) -> NDArray[np.float64]:
    """Numbers (count,) of a text, a piece at a time: words take far more memory than what they say.

    Raises:
        ValueError: there are more, fewer, or other things.
    """
    if count > MAX_NUMBERS:
        raise ValueError(f"at most {MAX_NUMBERS} are read")
    out, known, rest = np.empty(count), 0, b""
    for start in range(0, len(body), _PIECE_BYTES):
        piece = rest + bytes(body[start : start + _PIECE_BYTES])
        words = piece.split()
        # The last word may go on in the next piece.
        goes_on = start + _PIECE_BYTES < len(body) and bool(words) and not piece[-1:].isspace()
        rest = words.pop() if goes_on else b""
        if known + len(words) > count or len(rest) > _MAX_WORD_BYTES:
            raise ValueError("there are more")
        out[known : known + len(words)] = np.array(words, dtype=np.float64)
        known += len(words)
    if known < count:
        raise ValueError(f"there are {known}")
    return out
