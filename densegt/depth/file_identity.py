"""Which file stands under a name: a rename or a new content makes it another."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class FileIdentity:
    """Device, inode, size in bytes and time of the last change in ns."""

    device: int
    inode: int
    size: int
    changed_ns: int

    @classmethod
    def of(cls, path: Path) -> FileIdentity | None:
        """Of the file under a name, None where there is none."""
        try:
            return cls._from(path.stat())
        except OSError:
            return None

    @classmethod
    def of_open(cls, descriptor: int) -> FileIdentity:
        """Of an open file."""
        return cls._from(os.fstat(descriptor))

    @classmethod
    def _from(cls, found: os.stat_result) -> FileIdentity:
        return cls(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
