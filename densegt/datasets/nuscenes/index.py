"""The tables' index: one file that holds each scene's rows in one piece, so that opening a scene reads no others.

    8 bytes    magic
    20 bytes   where the directory is: offset, size, CRC-32
    ...        one block a scene: `SceneRows` as msgpack
    ...        the directory: `Directory` as msgpack

The directory says which JSON files the index was made of, by size and time of change; where they differ, the index is
stale. Every part has a CRC-32 that is compared before the part is used, so damage is noticed where it would do harm.
"""

from __future__ import annotations

import io
import mmap
import os
import secrets
import struct
import sys
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msgspec

from densegt.datasets.nuscenes import columns
from densegt.datasets.nuscenes.columns import SceneRows

FORMAT_VERSION = 2
PARTIAL = ".partial"
# The last letter tells the order of bytes in numbers.
_MAGIC = b"dgtable" + (b"<" if sys.byteorder == "little" else b">")
_HEADER = struct.Struct("<8sQQI")


class UnusableIndexError(Exception):
    """There is no index there, or it is stale, damaged or of another version."""


class Source(msgspec.Struct, frozen=True, order=True):
    """A JSON file as it was: size and time of change; -1 where there was none."""

    name: str
    size: int
    mtime_ns: int


class Entry(msgspec.Struct, frozen=True):
    """One scene: its name, how many samples, how many sweeps to read and images to write, and where its block is."""

    name: str
    keyframes: int
    steps: int
    offset: int
    size: int
    crc: int


class Directory(msgspec.Struct, frozen=True):
    """What is in the file."""

    format_version: int
    sources: list[Source]
    scenes: list[Entry]


@dataclass(frozen=True)
class Recipe:
    """What an index has to be made of.

    Attributes:
        sources: the tables as they are now.
        scene_names: in the order of scene.json.
        make: reads the tables.
    """

    sources: list[Source]
    scene_names: list[str]
    make: Callable[[], Iterable[SceneRows]]


def sources(folder: Path, tables: Iterable[str]) -> list[Source]:
    """The JSON files as they are now."""
    return [_source(folder / f"{table}.json") for table in tables]


def _source(path: Path) -> Source:
    try:
        found = path.stat()
    except OSError:
        return Source(path.name, -1, -1)
    return Source(path.name, found.st_size, found.st_mtime_ns)


class Index:
    """An index: a file mapped into memory, whose pages a machine's workers share, or bytes of this process's own."""

    def __init__(self, path: Path, data: mmap.mmap | bytes, recipe: Recipe) -> None:
        self.path = path
        self._data = data
        self._entries = self._directory(recipe)

    @classmethod
    def open(cls, path: Path, recipe: Recipe) -> Index:
        """Open a file.

        Raises:
            UnusableIndexError: it is missing, was not made of this, or is damaged.
        """
        try:
            with path.open("rb") as file:
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise UnusableIndexError(f"{path}: {error}") from None
        return cls(path, mapped, recipe)

    def _directory(self, recipe: Recipe) -> list[Entry]:
        magic, offset, size, crc = _HEADER.unpack(self._part(0, _HEADER.size, None))
        if magic != _MAGIC:
            raise UnusableIndexError(f"{self.path}: not an index")
        try:
            directory = msgspec.msgpack.decode(self._part(offset, size, crc), type=Directory)
        except msgspec.MsgspecError as error:
            raise UnusableIndexError(f"{self.path}: {error}") from None
        if directory.format_version != FORMAT_VERSION:
            raise UnusableIndexError(f"{self.path}: format version {directory.format_version}")
        if directory.sources != recipe.sources or [e.name for e in directory.scenes] != recipe.scene_names:
            raise UnusableIndexError(f"{self.path}: the tables have changed")
        return directory.scenes

    def entry(self, scene: int) -> Entry:
        """What the directory says of a scene."""
        return self._entries[scene]

    def read(self, scene: int) -> SceneRows:
        """A scene's rows.

        Raises:
            UnusableIndexError: they are damaged.
        """
        entry = self._entries[scene]
        try:
            return columns.decode(self._part(entry.offset, entry.size, entry.crc))
        except ValueError as error:
            raise UnusableIndexError(f"{self.path}: {entry.name}: {error}") from None

    def check(self) -> None:
        """Look at every block.

        Raises:
            UnusableIndexError: one is damaged.
        """
        for scene in range(len(self._entries)):
            self.read(scene)

    def _part(self, offset: int, size: int, crc: int | None) -> bytes:
        if offset + size > self._size():
            raise UnusableIndexError(f"{self.path}: cut off")
        part = self._data[offset : offset + size]
        if crc is not None and zlib.crc32(part) != crc:
            raise UnusableIndexError(f"{self.path}: damaged at byte {offset}")
        return part

    def _size(self) -> int:
        """Asked each time: touching what is mapped but no longer in the file would end the process."""
        if isinstance(self._data, bytes):
            return len(self._data)
        try:
            return min(len(self._data), self._data.size())
        except OSError as error:
            raise UnusableIndexError(f"{self.path}: {error}") from None


def in_memory(folder: Path, recipe: Recipe) -> Index:
    """An index of a folder's tables without a file."""
    file = io.BytesIO()
    _write(file, recipe)
    return Index(folder, file.getvalue(), recipe)


def on_disk(path: Path, recipe: Recipe) -> Index:
    """Write an index and open it. It appears under its name only when it is whole.

    Raises:
        OSError: the folder cannot be written to, the disk is full.
    """
    partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}{PARTIAL}")
    try:
        with partial.open("xb") as file:
            _write(file, recipe)
        index = Index.open(partial, recipe)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    index.path = path
    return index


def _write(file: IO[bytes], recipe: Recipe) -> None:
    file.write(bytes(_HEADER.size))
    entries = []
    for name, rows in zip(recipe.scene_names, recipe.make(), strict=True):
        block = columns.encode(rows)
        entries.append(Entry(name, len(rows.samples.tokens), rows.steps, file.tell(), len(block), zlib.crc32(block)))
        file.write(block)
    directory = msgspec.msgpack.encode(Directory(FORMAT_VERSION, recipe.sources, entries))
    offset = file.tell()
    file.write(directory)
    file.seek(0)
    file.write(_HEADER.pack(_MAGIC, offset, len(directory), zlib.crc32(directory)))
