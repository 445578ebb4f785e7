"""Files read whole, if they are files and of a size that can be.

What a file claims of its content is looked at before it is believed: a few bytes may stand for gigabytes.
"""

from __future__ import annotations

import os
from pathlib import Path

from densegt.errors import InputError

# Ten times the largest known: a turn of the finest lidars with all that is measured of each point.
MAX_SWEEP_BYTES = 1 << 28
# Tables of text: some hours of poses and boxes.
MAX_TABLE_BYTES = 1 << 26


def read_bounded(path: Path, max_bytes: int = MAX_TABLE_BYTES) -> bytes:
    """A file's content.

    Raises:
        InputError: it is missing, no file, or larger than that.
    """
    # On a pipe reading would wait for ever.
    if path.exists() and not path.is_file():
        raise InputError(f"{path}: not a file")
    try:
        with path.open("rb") as file:
            small = os.fstat(file.fileno()).st_size <= max_bytes
            # It may grow meanwhile.
            data = file.read(max_bytes) if small else b""
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    if not small:
        raise InputError(f"{path}: more than {max_bytes >> 20} MiB; no such file is as large")
    return data
