"""Who is at a scene's file: one run at a time, told by a lock that the system releases when its holder dies.

Two runs that should meet on a file system without locks both write the file, each under a temporary name of its own:
the last rename wins, and as equal input and configuration make equal bytes, nothing is lost but time.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_POLL_S = 0.5
_log = logging.getLogger(__name__)
_NO_LOCKS_HERE = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP}


def partial_path(path: Path) -> Path:
    """A name for `path` while it is being written; no other writer, here or on another machine, has the same."""
    return path.with_name(f".{path.name}.{os.urandom(8).hex()}.partial")


@contextmanager
def scene_lock(folder: Path, scene: str, *, patient: bool = False) -> Iterator[bool]:
    """Whether this process alone is at a scene's file; if so, what killed runs left of it is removed.

    Args:
        patient: wait until the other run is done with it or dead, and say so.

    Raises:
        OSError: the folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder / f".{scene}.lock"
    holder = _lock(lock)
    if holder is None and patient:
        _log.warning("%s: another run is at it; waiting until it is done or dead", folder / f"{scene}.h5")
    while holder is None and patient:
        time.sleep(_POLL_S)
        holder = _lock(lock)
    if holder is None:
        yield False
        return
    descriptor, locked = holder
    try:
        if locked:
            _remove_leftovers(folder, scene)
        yield True
    finally:
        with suppress(OSError):
            lock.unlink()
        os.close(descriptor)


def remove_leftovers(folder: Path, scenes: list[str]) -> None:
    """Remove what killed runs left of these scenes, except where another run is at it."""
    with suppress(OSError):
        hidden = [entry.name for entry in os.scandir(folder) if entry.name.startswith(".")]
        for scene in scenes:
            if any(name.startswith(f".{scene}.") for name in hidden):
                with scene_lock(folder, scene):
                    pass


def _lock(path: Path) -> tuple[int, bool] | None:
    """An open descriptor and whether it is locked, which it is but on file systems without locks; None: another's."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except OSError as error:
            if error.errno in _NO_LOCKS_HERE:
                return descriptor, False
            os.close(descriptor)
            raise
        if _is_at(descriptor, path):
            return descriptor, True
        # Its last holder removed it in between: this is a lock on a file that nobody else can find.
        os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _remove_leftovers(folder: Path, scene: str) -> None:
    leftover = re.compile(rf"\.{re.escape(scene)}\.h5\.[0-9a-f]{{16}}\.partial")
    for entry in os.scandir(folder):
        if leftover.fullmatch(entry.name):
            with suppress(OSError):
                Path(entry.path).unlink()
