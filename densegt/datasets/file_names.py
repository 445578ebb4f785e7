"""Names that others wrote: may a path be made of them?"""

from __future__ import annotations

from pathlib import Path


def is_outside(filename: str) -> bool:
    """Whether a name in a table leads out of the dataset, or is no name of a file at all."""
    parts = Path(filename).parts
    too_long = len(filename) > 1000 or any(len(part.encode(errors="replace")) > 255 for part in parts)
    return ".." in parts or filename.startswith("/") or not filename.isprintable() or too_long


def can_name_file(scene_name: str) -> bool:
    """A scene's name becomes a file's: <name>.h5. Hidden files are left out by those who read stores."""
    return scene_name != "" and "/" not in scene_name and scene_name[0] != "." and not is_outside(scene_name)
