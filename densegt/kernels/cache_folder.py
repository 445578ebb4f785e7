"""Where numba keeps compiled kernels: beside them, in the user's cache, or, where neither can be written, in a
temporary folder of the user's own.
"""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from densegt.errors import InputError

VARIABLE = "NUMBA_CACHE_DIR"


def settle_cache_folder() -> Path:
    """The folder that numba will use; the environment names it where numba would find none by itself.

    Raises:
        InputError: nothing can be written anywhere.
    """
    if os.environ.get(VARIABLE):
        return Path(os.environ[VARIABLE])
    for folder in usual_folders():
        if is_writable(folder):
            return folder
    folder = temporary_folder()
    # For worker processes too.
    os.environ[VARIABLE] = str(folder)
    if "numba" in sys.modules:
        sys.modules["numba"].config.CACHE_DIR = str(folder)
    return folder


def usual_folders() -> list[Path]:
    """Those that numba tries by itself, in its order."""
    here = Path(__file__).parent / "__pycache__"
    base = os.environ.get("XDG_CACHE_HOME", "") or os.path.expanduser("~/.cache")
    return [here, Path(base) / "numba"]


def is_writable(folder: Path) -> bool:
    """Whether a file can be made there; the folder is made if it is not there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


def temporary_folder() -> Path:
    """A folder that only this user can write to: code is loaded from it. The same one each time, if that is so.

    Raises:
        InputError: there is no temporary folder that can be written to.
    """
    try:
        usual = Path(tempfile.gettempdir()) / f"densegt-numba-{os.getuid() if hasattr(os, 'getuid') else 'user'}"
        with suppress(FileExistsError):
            usual.mkdir(mode=0o700)
        return usual if is_own(usual) and is_writable(usual) else Path(tempfile.mkdtemp(prefix="densegt-numba-"))
    except OSError:
        raise InputError(
            f"compiled kernels can be written neither beside densegt, nor in the user's cache, nor in a temporary "
            f"folder; set {VARIABLE} to a folder that can be written to"
        ) from None


def is_own(folder: Path) -> bool:
    """Whether a folder, not a link to one, belongs to this user and nobody else can write to it."""
    found = folder.lstat()
    others = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return stat.S_ISDIR(found.st_mode) and not others and (not hasattr(os, "getuid") or found.st_uid == os.getuid())
