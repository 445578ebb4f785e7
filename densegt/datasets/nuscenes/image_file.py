"""Is an image's file whole, and of the size that the tables say? Without decoding it."""

from __future__ import annotations

from pathlib import Path

from densegt.datasets.image_size import JPEG_SUFFIXES, size_of

# Some writers pad after the end marker.
_TAIL_BYTES = 1024
_ENDS = {"JPEG": b"\xff\xd9", "PNG": b"IEND"}


def problem(path: Path, width_px: int, height_px: int) -> tuple[str, str] | None:
    """What is wrong with an image: (kind, words), None where nothing is. Of others than JPEG and PNG nothing is asked.

    Args:
        width_px, height_px: by the tables; 0 where they do not say.

    Raises:
        OSError: it cannot be read.
    """
    if path.suffix.lower() not in (*JPEG_SUFFIXES, ".png"):
        return None
    size = size_of(path)
    with path.open("rb") as file:
        kind = "PNG" if file.read(4) == b"\x89PNG" else "JPEG"
        if size is None:
            return "unreadable", "does not begin like a JPEG or a PNG"
        file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        if _ENDS[kind] not in file.read():
            return "truncated", f"the {kind}'s end is missing"
    if width_px and height_px and size != (width_px, height_px):
        return "size", f"{size[0]}x{size[1]} px, but sample_data.json says {width_px}x{height_px}"
    return None


def stored_size(path: Path) -> tuple[int, int]:
    """(width, height) px of a JPEG or PNG; 0, 0 where it cannot be told."""
    return size_of(path) or (0, 0)
