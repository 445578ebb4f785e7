"""An image's size from its header, without decoding."""

from __future__ import annotations

from pathlib import Path
from typing import IO

JPEG_SUFFIXES = (".jpg", ".jpeg")

# Start-of-frame segments hold the size; c4, c8 and cc in their midst are other things.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def size_of(path: Path) -> tuple[int, int] | None:
    """(width, height) px of a JPEG or PNG file, whatever it is called; None where it cannot be told."""
    try:
        if not path.is_file():  # a pipe would wait for ever
            return None
        with path.open("rb") as file:
            start = file.read(4)
            file.seek(0)
            return png_size(file) if start == b"\x89PNG" else jpeg_size(file)
    except OSError:
        return None


def jpeg_size(file: IO[bytes]) -> tuple[int, int] | None:
    """(width, height) px from a JPEG's header, None where there is none."""
    if file.read(2) != b"\xff\xd8":
        return None
    while file.read(1) == b"\xff":
        marker = file.read(1)
        while marker == b"\xff":
            marker = file.read(1)
        segment = file.read(7)
        if len(segment) < 7:
            return None
        if marker[0] in _FRAMES:
            return int.from_bytes(segment[5:7], "big"), int.from_bytes(segment[3:5], "big")
        file.seek(int.from_bytes(segment[:2], "big") - 7, 1)
    return None


def png_size(file: IO[bytes]) -> tuple[int, int] | None:
    """(width, height) px from a PNG's header, None where there is none."""
    head = file.read(24)
    if len(head) < 24 or head[:8] != b"\x89PNG\r\n\x1a\n" or head[12:16] != b"IHDR":
        return None
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
