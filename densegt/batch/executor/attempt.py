"""One item's work, whatever comes of it."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from densegt.errors import InputError

Item = TypeVar("Item")
Result = TypeVar("Result")

SendMessage = Callable[[Any], None]
Work = Callable[[Item, SendMessage], Result]

# Files that the user named: they can mend it.
_BAD_INPUT = (InputError, FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)


@dataclass(frozen=True)
class Failed:
    """No result.

    Attributes:
        why: one line.
        by_input: input or usage is at fault, not the machine and not densegt.
        traceback: where it happened, for what nobody foresaw.
        errno: the system's number for it, where the disk or the file system failed.
    """

    why: str
    by_input: bool = False
    traceback: str | None = None
    errno: int | None = None


def attempt(work: Work[Item, Result], item: Item, report: SendMessage) -> Result | Failed:
    """Result of an item, or why there is none."""
    try:
        return work(item, report)
    except (InputError, OSError) as error:
        errno = error.errno if isinstance(error, OSError) else None
        return Failed(_one_line(error), by_input=isinstance(error, _BAD_INPUT), errno=errno)
    except MemoryError:
        return Failed("memory ran out; fewer --workers need less")
    except Exception as error:  # a bug in one item's work is no reason to lose the others
        return Failed(f"{type(error).__name__}: {_one_line(error)}", traceback=traceback.format_exc())


def _one_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return " ".join(str(error).split())
