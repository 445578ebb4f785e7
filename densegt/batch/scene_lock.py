"""Scene lock: one run at a time works on a scene's file; the system releases the lock when its holder dies.

On a file system without locks two runs may write the same file, each under a temporary name of its own: the last rename
wins, and as equal input and configuration make equal bytes, nothing is lost but time.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from densegt.depth.partial_file import remove_partial_files
from densegt.errors import InputError

_POLL_S = 0.5
_log = logging.getLogger(__name__)
_NO_LOCKS_HERE = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP}


@contextmanager
def scene_lock(folder: Path, scene: str, *, wait: bool = False) -> Iterator[bool]:
    """Lock of a scene's file in a store: whether it was acquired; partial files of killed runs are then removed.

    Args:
        wait: until the run that holds it has ended, with a warning in the log.

    Raises:
        InputError: there is a link in place of the lock.
        OSError: the folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path, lock = folder / f"{scene}.h5", folder / f".{scene}.lock"
    acquired = _acquire(lock)
    if acquired is None and wait:
        _log.warning("%s: another run works on it; waiting until it ends", path)
    while acquired is None and wait:
        time.sleep(_POLL_S)
        acquired = _acquire(lock)
    if acquired is None:
        yield False
        return
    descriptor, locked = acquired
    try:
        if locked:
            remove_partial_files(path)
        yield True
    finally:
        with suppress(OSError):
            lock.unlink()
        os.close(descriptor)


def remove_leftovers(folder: Path, scenes: list[str]) -> None:
    """Remove partial files and locks of killed runs, except of scenes that another run works on."""
    with suppress(OSError, InputError):
        hidden = [entry.name for entry in os.scandir(folder) if entry.name.startswith(".")]
        for scene in scenes:
            if any(name.startswith(f".{scene}.") for name in hidden):
                with scene_lock(folder, scene):
                    pass


def locked_scenes(folder: Path) -> list[str]:
    """Scenes of a store that a run works on now; nothing is written for it."""
    names = []
    for path in sorted(Path(folder).glob(".*.lock")):
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                names.append(path.name[1:].removesuffix(".lock"))
            finally:
                os.close(descriptor)
    return names


def _acquire(path: Path) -> tuple[int, bool] | None:
    """An open descriptor and whether it is locked (not on file systems without locks); None: another run has it."""
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise InputError(f"{path}: a link in place of a lock; remove it") from None
            raise
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
