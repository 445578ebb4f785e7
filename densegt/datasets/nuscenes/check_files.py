"""Is every file that the tables name there, inside the dataset, and whole?"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from densegt.datasets.decode_image import decode_grey
from densegt.datasets.file_names import is_outside
from densegt.datasets.nuscenes import image_file, sweep_file
from densegt.datasets.nuscenes.findings import Finding, RowsByTable
from densegt.errors import InputError

Progress = Callable[[int, int], None]


def files(tables: RowsByTable, dataroot: Path, *, decode_images: bool, progress: Progress | None) -> Iterator[Finding]:
    """Everything that is wrong with sweeps, images and maps.

    Args:
        tables: rows that name the files.
        dataroot: names are relative to it.
        decode_images: decode every image too, not only its two ends.
        progress: told (files done, files in all).
    """
    named = [("sample_data", row) for row in tables["sample_data"]]
    named += [("map", row) for row in tables["map"] if row.filename]
    seen: set[str] = set()
    kinds = tables.kinds()
    for done, (table, row) in enumerate(named, start=1):
        if row.filename in seen and table == "sample_data":
            yield Finding("duplicate", tables.where(table), f"row {row.token}: {row.filename} is named before")
        elif is_outside(row.filename):
            yield Finding("outside", tables.where(table), f"row {row.token}: {row.filename!r} leads out of the dataset")
        else:
            seen.add(row.filename)
            kind = kinds.get(row.calibrated_sensor_token, "") if table == "sample_data" else ""
            what = problem(dataroot / row.filename, kind, row, decode_images=decode_images)
            if what:
                yield Finding(what[0], row.filename, what[1])
        if progress and (done % 100 == 0 or done == len(named)):
            progress(done, len(named))


def problem(path: Path, kind: str, row: Any, *, decode_images: bool) -> tuple[str, str] | None:
    """What is wrong with one file: (kind, words), None: nothing; of what is no lidar nor camera little is asked."""
    try:
        if not path.is_file():
            return "missing", "no such file"
        if path.stat().st_size == 0:
            return "truncated", "empty"
        if kind == "lidar":
            return sweep_file.problem(path)
        if kind == "camera":
            size = row.width or 0, row.height or 0
            return image_file.problem(path, *size) or (decoding_problem(path) if decode_images else None)
    except OSError as error:
        return "unreadable", error.strerror or str(error)
    return None


def decoding_problem(path: Path) -> tuple[str, str] | None:
    """Whether an image decodes without complaint."""
    with _c_stderr() as complaints:
        try:
            decode_grey(path)
        except InputError as error:
            return "unreadable", f"does not decode: {str(error).removeprefix(f'{path}: ')}"
    said = [line for line in complaints if "jpeg" in line.lower()]
    return ("unreadable", f"does not decode: {said[0]}") if said else None


@contextmanager
def _c_stderr() -> Iterator[list[str]]:
    """Collects lines that C code writes to stderr: libjpeg paints damage grey and says so only there."""
    lines: list[str] = []
    own = os.dup(2)
    with tempfile.TemporaryFile() as log:
        os.dup2(log.fileno(), 2)
        try:
            yield lines
        finally:
            os.dup2(own, 2)
            os.close(own)
            log.seek(0)
            lines += log.read().decode(errors="replace").splitlines()
