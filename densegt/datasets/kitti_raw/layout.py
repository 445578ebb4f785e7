"""How a folder of KITTI's raw recordings is recognised."""

from __future__ import annotations

import re
from pathlib import Path

_DRIVE = re.compile(r"\d{4}_\d\d_\d\d_drive_\d{4}_sync")
_DAY = re.compile(r"\d{4}_\d\d_\d\d")


def drive_folders(root: Path) -> list[Path]:
    """The drives of a folder: itself, those in it, or those of the days in it; in order of name."""
    if _DRIVE.fullmatch(root.resolve().name):
        return [root]
    inside = [path for path in root.iterdir() if path.is_dir()]
    days = [path for path in inside if _DAY.fullmatch(path.name)]
    below = [path for day in days for path in day.iterdir() if path.is_dir()]
    return sorted((path for path in (*inside, *below) if _DRIVE.fullmatch(path.name)), key=lambda path: path.name)


def is_kitti_raw(root: Path) -> bool:
    """Whether a folder holds drives."""
    return bool(drive_folders(root))
