"""Point Cloud Data files, ascii and binary, as columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.errors import InputError

MAX_POINTS = 10_000_000
_HEADER_BYTES = 4096
_TYPES = {"F": "f", "I": "i", "U": "u"}


def read_pcd(path: Path) -> dict[str, NDArray[Any]]:
    """Columns (N,) by field name, of the fields with one value a point.

    Raises:
        InputError: missing, no PCD file, cut off, or compressed.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    header, start = _header(path, data)
    try:
        dtype = _dtype(header)
        points = int(header["POINTS"][0] if "POINTS" in header else header["WIDTH"][0])
        encoding = header["DATA"][0]
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise InputError(f"{path}: not a whole PCD header ({error})") from None
    if not 0 <= points <= MAX_POINTS:
        raise InputError(f"{path}: {points} points; a sweep has at most {MAX_POINTS}")
    if encoding == "binary":
        rows = _binary(path, data[start:], dtype, points)
    elif encoding == "ascii":
        rows = _ascii(path, data[start:], dtype, points)
    else:
        raise InputError(f"{path}: DATA {encoding[:40]} is not read; save it as binary or ascii")
    return {name: rows[name] for name in dtype.names or () if rows[name].ndim == 1}


def _header(path: Path, data: bytes) -> tuple[dict[str, list[str]], int]:
    """The header's lines by their first word, and where the points start."""
    header: dict[str, list[str]] = {}
    start = 0
    while "DATA" not in header:
        end = data.find(b"\n", start, start + _HEADER_BYTES)
        if end < 0 or start > _HEADER_BYTES:
            raise InputError(f"{path}: not a PCD file: no line DATA in its header")
        words = data[start:end].decode("ascii", errors="replace").split()
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


def _binary(path: Path, body: bytes, dtype: np.dtype[Any], points: int) -> NDArray[Any]:
    if len(body) < points * dtype.itemsize:
        what = f"{len(body)} bytes for {points} points of {dtype.itemsize}"
        raise InputError(f"{path}: cut off: {what}")
    return np.frombuffer(body, dtype=dtype, count=points)


def _ascii(path: Path, body: bytes, dtype: np.dtype[Any], points: int) -> NDArray[Any]:
    widths = [int(np.prod(dtype[name].shape)) for name in dtype.names or ()]
    try:
        numbers = np.array(body.split(), dtype=np.float64)
        table = numbers.reshape(points, sum(widths))
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
