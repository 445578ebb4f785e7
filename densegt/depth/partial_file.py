"""Files under a temporary name while they are written, and what a killed process leaves of them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def partial_path(path: Path) -> Path:
    """A hidden name beside `path`, unique among all writers on all machines."""
    return path.with_name(f".{path.name}.{os.urandom(8).hex()}.partial")


def remove_partial_files(path: Path) -> None:
    """Remove every partial file of `path`."""
    for partial in _partial_files(path):
        with suppress(OSError):
            partial.unlink()


def _partial_files(path: Path) -> Iterator[Path]:
    pattern = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{16}}\.partial")
    for entry in os.scandir(path.parent):
        if pattern.fullmatch(entry.name):
            yield Path(entry.path)
