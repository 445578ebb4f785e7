"""Files under a temporary name while they are written, and what a killed process leaves of them."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from densegt.errors import InputError


def partial_path(path: Path) -> Path:
    """A hidden name beside `path`, unique among all writers on all machines."""
    return path.with_name(f".{path.name}.{os.urandom(8).hex()}.partial")


def write_whole(path: Path, data: bytes, *, below: Path | None = None) -> None:
    """Write a file so that it is whole under its name, or not there; what stood there, a link too, is replaced.

    Args:
        below: the folder in which the file's own must lie, links followed.

    Raises:
        InputError: a link leads out of that folder.
        OSError: it cannot be written; names the file.
    """
    if below is not None and not path.parent.resolve().is_relative_to(below.resolve()):
        raise InputError(f"{path.parent}: a link that leads out of {below}; remove it")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = partial_path(path)
    try:
        with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666), "wb") as file:
            file.write(data)
        os.replace(partial, path)
    except OSError as error:
        # Not that of the partial file.
        raise OSError(error.errno, error.strerror or str(error), str(path)) from None
    finally:
        partial.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Put the new name itself on the disk, where the file system knows how."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_writable(path: Path) -> None:
    """Whether a file or folder can be made under a name, before long work for it.

    Raises:
        InputError: it cannot.
    """
    there = path if path.is_dir() else next(folder for folder in path.absolute().parents if folder.exists())
    try:
        tempfile.TemporaryFile(dir=there).close()
    except OSError as error:
        raise InputError(f"{path}: nothing can be written there ({error.strerror}); choose another place") from None


def remove_partial_files(path: Path) -> None:
    """Remove every partial file of `path`."""
    for partial in _partial_files(path):
        with suppress(OSError):
            partial.unlink()


def _partial_files(path: Path) -> Iterator[Path]:
    pattern = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{16}}\.partial")
    for entry in os.scandir(path.parent):
        if pattern.fullmatch(entry.name):
            yield Path(entry.path)
