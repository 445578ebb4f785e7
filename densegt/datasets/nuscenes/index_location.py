"""Where the index of a version folder lies, and who builds it.

An index is looked for, and built, in this order:

1. in the folder that DENSEGT_INDEX_DIR names, and then nowhere else;
2. beside the tables, `<dataroot>/<version>/densegt-tables.2.index`: every machine that sees the dataset finds it;
3. in the user's cache folder (`~/.cache/densegt/tables`, or under XDG_CACHE_HOME), where the dataset is read-only.

It is made of the JSON tables alone and can be deleted at any time. Tables of a few megabytes get none: they are read
at each start. Where no place can be written to, the index stays in the process's memory.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from densegt.datasets.nuscenes.index import (
    FORMAT_VERSION,
    PARTIAL,
    Index,
    Recipe,
    UnusableIndexError,
    in_memory,
    on_disk,
)

ENVIRONMENT = "DENSEGT_INDEX_DIR"
# Below this, reading the tables takes a fraction of a second.
SMALL_BYTES = 16 << 20
# Ten times as long as it takes to build the largest.
MAX_WAIT_S = 300.0

_NAME = f"densegt-tables.{FORMAT_VERSION}.index"
_log = logging.getLogger(__name__)


def index_candidates(folder: Path) -> list[Path]:
    """The files that an index of this version folder may be, best first."""
    if chosen := os.environ.get(ENVIRONMENT):
        return [Path(chosen) / _name_of(folder)]
    from platformdirs import user_cache_path

    return [folder / _NAME, user_cache_path("densegt") / "tables" / _name_of(folder)]


def _name_of(folder: Path) -> str:
    """A name for an index that does not lie beside its tables."""
    digest = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]
    return f"{folder.name}-{digest}.{_NAME}"


def open_or_build(folder: Path, candidates: list[Path], recipe: Recipe) -> Index:
    """The first index that fits the tables; where there is none, it is built in the first place that takes it."""
    for path in candidates:
        with suppress(UnusableIndexError):
            return Index.open(path, recipe)
    return build(folder, candidates, recipe)


def build(folder: Path, candidates: list[Path], recipe: Recipe) -> Index:
    """Build an index, unless another process has a whole one ready by the time it is our turn."""
    for path in candidates:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with _alone(path):
                return _whole(path, recipe) or _built(path, recipe)
        except (OSError, UnusableIndexError) as error:
            _log.info("%s: no index here (%s)", path, error)
    return in_memory(folder, recipe)


def _whole(path: Path, recipe: Recipe) -> Index | None:
    try:
        index = Index.open(path, recipe)
        index.check()
    except UnusableIndexError:
        return None
    return index


def _built(path: Path, recipe: Recipe) -> Index:
    started_s = time.monotonic()
    index = on_disk(path, recipe)
    took_s = time.monotonic() - started_s
    # A file that appears in a dataset without being asked for is worth a line on stderr.
    _log.warning("%s: an index of the tables, made once (%.0f s); can be deleted at any time", path, took_s)
    return index


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One builder at a time in a folder.

    The folder itself is locked, so no further file is needed. Where locks do not work (some network file systems),
    builders do double work, yet no harm: each writes a file of its own and renames it.
    """
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        if _locked(folder):
            for left_by_killed in path.parent.glob(f".{path.name}.*{PARTIAL}"):
                left_by_killed.unlink(missing_ok=True)
        yield
    finally:
        os.close(folder)


def _locked(folder: int) -> bool:
    """Wait for a lock, though not for ever: a builder may have been stopped."""
    give_up_s = time.monotonic() + MAX_WAIT_S
    while time.monotonic() < give_up_s:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.1)
        except OSError:
            return False
        else:
            return True
    return False
