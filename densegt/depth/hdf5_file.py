"""Files of one scene in HDF5: written whole or not at all, read with every kind of damage as one line.

The only file that imports h5py. What all of them say of themselves, in attributes: format, format_version,
densegt_version, config (JSON), input (digest of what they were made from), and what was set aside.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py

import densegt
from densegt.depth.attributes import Attributes, inside, integer, refuse, text, text_crc
from densegt.depth.file_identity import FileIdentity
from densegt.depth.guarded import GuardedFile
from densegt.depth.partial_file import partial_path, sync_folder
from densegt.depth.sink import Sink
from densegt.errors import InputError

FORMAT_VERSION = 1
# What each format's files are called in messages.
FORMATS = {
    "densegt-depth": "depth store",
    "densegt-labels": "file of labels",
    "densegt-motion-votes": "store of motion votes",
    "densegt-occupancy": "store of occupancy",
}

# Its structures have checksums, and h5py from 3.15 on keeps the time of writing out of them.
_LIBRARY = ("v110", "v110")
_TEXT_CRC = "text_crc32"
# What h5py and the conversions here make of files that are damaged or something else.
_DAMAGE = (
    KeyError, ValueError, TypeError, AttributeError, IndexError, OSError, RuntimeError, OverflowError, MemoryError
)  # fmt: skip


def made_from(
    config: Mapping[str, Any], input_digest: str | None, inferred: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """What a file says of its making, as attributes.

    Args:
        config: everything needed to repeat it.
        input_digest: what it is made from, where a later run is to recognise it.
        inferred: what was not given but told from the recording.
    """
    return {
        "config": json.dumps(config, sort_keys=True),
        **({} if input_digest is None else {"input": input_digest}),
        **({} if inferred is None else {"inferred": json.dumps(inferred, sort_keys=True)}),
    }


class WholeFile:
    """A scene's file while it is written; it appears under its final name only when `with` ends without an error.

    Args:
        format: a key of `FORMATS`.
        attributes: further ones of the file.
    """

    def __init__(self, path: Path, format: str, attributes: Mapping[str, Any], *, overwrite: bool) -> None:
        self.path = path
        if self.path.exists() and not overwrite:
            raise InputError(f"{self.path}: exists already; --overwrite replaces it")
        self._partial = partial_path(self.path)
        self._attributes: dict[str, Any] = {
            "format": format,
            "format_version": FORMAT_VERSION,
            "densegt_version": densegt.__version__,
            **attributes,
        }

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._sink = Sink(self._partial, known_as=self.path)
        self._file = h5py.File(self._sink, "w", libver=_LIBRARY)
        set_attributes(self._file, self._attributes)
        return self

    def set_aside(self, things: Sequence[Mapping[str, Any]]) -> None:
        """Note what was bad in the recording, and that the file was made without."""
        self._attributes["set_aside"] = json.dumps(things, sort_keys=True)
        set_attributes(self._file, self._attributes)

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            try:
                if kind is None:
                    self._complete()
            finally:
                self._stop()
                self._file.close()
            if kind is None:
                self._sink.finish()
                os.replace(self._partial, self.path)
                sync_folder(self.path.parent)
        finally:
            self._sink.close()
            self._partial.unlink(missing_ok=True)

    def _complete(self) -> None:
        """Write what is still to be written."""

    def _stop(self) -> None:
        """Leave what is still to be written."""


def set_attributes(group: h5py.Group, attributes: Attributes) -> None:
    """Add attributes, with a checksum of the texts among them."""
    group.attrs.update(attributes)
    group.attrs[_TEXT_CRC] = text_crc(attributes)


@dataclass(frozen=True)
class Header:
    """What a scene's file says about itself.

    Attributes:
        input_digest: of what it was made from; None where it was not noted.
        set_aside: what it was made without, see `densegt.datasets.set_aside`.
    """

    format_version: int
    densegt_version: str
    config: dict[str, Any]
    input_digest: str | None
    set_aside: tuple[dict[str, Any], ...] = ()


def read_header(path: Path) -> Header:
    """How a scene's file, of any of the formats, was made; nothing else of it is read.

    Raises:
        InputError: none of these files, cut off, damaged, or from a newer densegt.
    """
    with opened(path, FORMATS) as (_, header):
        return header


@contextmanager
def opened(
    path: Path, formats: Collection[str], where: str = "", identity: FileIdentity | None = None
) -> Iterator[tuple[h5py.File, Header]]:
    """A scene's file and its header; whatever goes wrong in reading it is one line that names the file.

    Args:
        formats: what it may be.
        where: in the file, for that line.
        identity: of the file that it should be.
    """
    kind = FORMATS[next(iter(formats))]
    try:
        if not path.is_file():
            raise InputError(f"{path}: {'not a file' if path.exists() else 'no such file'}")
        raw = GuardedFile(path)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    try:
        with raw:
            if identity and identity != FileIdentity.of_open(raw.fileno()):
                raise InputError(f"{path}: was replaced while it was read; run it again")
            with _hdf5(path, raw) as file:
                yield file, _header(path, file, formats)
    except InputError:
        raise
    except _DAMAGE as error:
        raise InputError(f"{path}: {where}damaged or no {kind} ({_line(error)}); make it again") from None


def _hdf5(path: Path, raw: GuardedFile) -> h5py.File:
    try:
        return h5py.File(raw, "r")
    except _DAMAGE as error:
        raise InputError(f"{path}: not a readable HDF5 file ({_line(error)}); make it again") from None


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def _header(path: Path, file: h5py.File, formats: Collection[str]) -> Header:
    form = file.attrs.get("format")
    if not isinstance(form, str) or form not in formats:
        name = next(iter(formats))
        raise InputError(f"{path}: an HDF5 file, but not a {FORMATS[name]} (attribute format is not {name!r})")
    attributes = attributes_of(file)
    version = integer(attributes, "format_version")
    if version > FORMAT_VERSION:
        raise InputError(
            f"{path}: format version {version!r}; this densegt reads up to {FORMAT_VERSION}. Update densegt"
        )
    config = json.loads(text(attributes, "config"))
    if version < 1 or not isinstance(config, dict):
        raise ValueError("format_version is not 1 or more, or config is no JSON object")
    return Header(
        format_version=version,
        densegt_version=text(attributes, "densegt_version"),
        config=config,
        input_digest=text(attributes, "input") if "input" in attributes else None,
        set_aside=tuple(map(dict, json.loads(text(attributes, "set_aside")))) if "set_aside" in attributes else (),
    )


def attributes_of(group: h5py.Group) -> Attributes:
    """A group's attributes, the texts among them as they were written."""
    attributes = dict(group.attrs)
    # Older stores have none.
    if _TEXT_CRC in attributes and attributes[_TEXT_CRC] != text_crc(attributes):
        raise ValueError("the text attributes are not what was written")
    return attributes


def group_of(parent: h5py.Group, name: str) -> h5py.Group:
    """A group that lies in this file. Its name becomes a folder's in exports."""
    group = own(parent, inside(name))
    return group if isinstance(group, h5py.Group) else refuse(f"{name} is no group")


def datasets_of(group: h5py.Group) -> dict[str, h5py.Dataset]:
    """All datasets of a group, each in this file."""
    found = {name: own(group, name) for name in group}
    for name, data in found.items():
        if not isinstance(data, h5py.Dataset) or data.is_virtual or data.external:
            refuse(f"{name} is no dataset in this file")
    return found


def own(group: h5py.Group, name: str) -> Any:
    """What is under a name here, unless that leads elsewhere."""
    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        refuse(f"{name} is a link to elsewhere")
    return group[name]
