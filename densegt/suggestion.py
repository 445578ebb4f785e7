"""What was probably meant: a known name like a mistyped one, a folder beside a missing one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

_MOST_ENTRIES = 2000


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known name that is most like a word, whatever its case; None where none is alike."""
    by_folded = {_folded(name): name for name in known}
    alike = difflib.get_close_matches(_folded(word[:100]), by_folded, n=1)
    return by_folded[alike[0]] if alike else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Ends a message about an unknown name: the known one most like it, or all of them."""
    known = list(known)
    alike = closest(word, known)
    return f"; did you mean {alike}?" if alike else f"; known are {', '.join(known)}"[:200]


def no_such_folder(path: Path) -> str:
    """Message about a folder that is not there: the first part of its path that is missing, and what is like it."""
    message = f"{path}: no such folder"
    if path.exists():
        return f"{message} but a file; its folder is {path.parent}"
    missing = next(part for part in (path, *path.parents) if part.parent.exists())
    alike = closest(missing.name, _names_in(missing.parent))
    if alike:
        return f"{message}; did you mean {missing.parent / alike / path.relative_to(missing)}?"
    return f"{message}; there is no {missing.name} in {missing.parent.absolute()}"


def _folded(word: str) -> str:
    return word.casefold().replace("_", "-")


def _names_in(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for _, entry in zip(range(_MOST_ENTRIES), folder.iterdir(), strict=False))
    except OSError:
        return []
