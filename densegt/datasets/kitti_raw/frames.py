"""The numbered files of one sensor: their names say which frame each is, for single ones may be missing."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.kitti_raw.text_files import read_stamps_us
from densegt.errors import InputError


@dataclass(frozen=True)
class Frames:
    """A folder of files such as 0000000017.bin, and their stamps.

    Attributes:
        data: the folder.
        timestamps: line n of this file is frame n's stamp.
        suffixes: that the files' names end in.
    """

    data: Path
    timestamps: Path
    suffixes: tuple[str, ...]

    @cached_property
    def files(self) -> dict[int, Path]:
        """Files by number, in order; empty where there is no such folder.

        Raises:
            InputError: two files of one frame, or the folder cannot be read.
        """
        pattern = re.compile(rf"(\d{{6,10}})({'|'.join(map(re.escape, self.suffixes))})")
        found: dict[int, Path] = {}
        for name in self._names():
            match = pattern.fullmatch(name)
            if match is None:
                continue
            number = int(match[1])
            if number in found:
                raise InputError(f"{self.data / name}: frame {number} is also {found[number].name}; keep one")
            found[number] = self.data / name
        return dict(sorted(found.items()))

    def _names(self) -> list[str]:
        try:
            if not self.data.is_dir():
                return []
            with os.scandir(self.data) as entries:
                # On a pipe reading would wait for ever.
                return sorted(entry.name for entry in entries if entry.is_file())
        except OSError as error:
            raise InputError(f"{self.data}: {error.strerror or error}") from None

    @cached_property
    def stamps_us(self) -> NDArray[np.int64]:
        """Stamps of all frames (N,), those without a file too.

        Raises:
            InputError: the file is missing or damaged, or there are files beyond its last line.
        """
        stamps_us = read_stamps_us(self.timestamps)
        last = max(self.files, default=-1)
        if last >= len(stamps_us):
            raise InputError(f"{self.timestamps}: {len(stamps_us)} stamps, but there is {self.files[last]}")
        return stamps_us

    @cached_property
    def missing(self) -> list[int]:
        """Frames that have a stamp and no file."""
        return sorted(set(range(len(self.stamps_us))) - set(self.files))
