"""Recordings whose images were never fetched: depth is made from calibration alone."""

from __future__ import annotations

from pathlib import Path


def has_no_images(dataroot: Path, filename: str) -> bool:
    """Whether an image is absent with its whole folder while the recording itself is there.

    A single missing file is damage, and where nothing on the way to it exists the folder is another recording's.
    """
    folder = (dataroot / filename).parent
    above = list(Path(filename).parents)[1:-1]
    return not folder.exists() and any((dataroot / part).is_dir() for part in above)
