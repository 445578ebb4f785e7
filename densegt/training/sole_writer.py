"""One run at a time in a folder, told by a lock that the system releases when its holder dies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from lightning.fabric.utilities.rank_zero import rank_zero_only

from densegt.batch.scene_lock import scene_lock
from densegt.errors import InputError


@contextmanager
def sole_writer(out: Path, what: str) -> Iterator[None]:
    """Keep other runs out of a folder; of one run's several processes the first does.

    Args:
        what: that is written there, in a word: runs that write another thing do not mind.

    Raises:
        InputError: another run is at it, the folder cannot be written to, or a link in it leads out of it.
    """
    # Processes that Lightning starts for further devices are the same run.
    if getattr(rank_zero_only, "rank", 0):
        yield
        return
    fresh = not out.exists()
    try:
        with ExitStack() as stack:
            try:
                acquired = stack.enter_context(scene_lock(out, what))
            except OSError as error:
                raise InputError(f"{out}: cannot be written to ({error.strerror})") from None
            if not acquired:
                raise InputError(f"{out}: another {what} is at it; wait for it, or name another --out")
            _refuse_links(out)
            yield
    finally:
        if fresh:
            # Where nothing came of it, nothing is left.
            with suppress(OSError):
                out.rmdir()


def _refuse_links(out: Path) -> None:
    """A run writes into folders of `out`; through a link it would overwrite what is no part of it."""
    entries = list(out.iterdir())
    inside = [path for entry in entries if entry.is_dir() and not entry.is_symlink() for path in entry.iterdir()]
    for path in (*entries, *inside):
        if path.is_symlink() and not path.resolve().is_relative_to(out.resolve()):
            raise InputError(f"{path}: a link that leads out of {out}; remove it")
