"""What a reader left out because it is bad, and went on without."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

REFUSE_INSTEAD = "--strict refuses instead"


@dataclass(frozen=True, order=True)
class SetAside:
    """One thing that was left out.

    Attributes:
        what: sweep, image, box or label table.
        where: the file, or the table.
        why: what is wrong with it; of a table, with the row's token.
    """

    what: str
    where: str
    why: str

    def __str__(self) -> str:
        return f"{self.where}: {self.why}"


def in_one_line(things: Sequence[SetAside]) -> tuple[str, ...]:
    """A line: how many of each kind were left out, the first of each named with its reason; none where nothing was."""
    kinds = list(dict.fromkeys(thing.what for thing in things))
    parts = []
    for kind in kinds:
        mine = [thing for thing in things if thing.what == kind]
        more = f" and {len(mine) - 1} more" if len(mine) > 1 else ""
        parts.append(f"{len(mine)} {_plural(kind, len(mine))} ({mine[0]}{more})")
    return (f"went on without {', '.join(parts)}; {REFUSE_INSTEAD}",) if parts else ()


def as_dicts(things: Sequence[SetAside]) -> list[dict[str, Any]]:
    """For JSON; with the size of each file, by which a later run tells that it has come or was mended."""
    return [{**asdict(thing), "size_bytes": _size_bytes(thing.where)} for thing in things]


def mended(things: Iterable[Mapping[str, Any]]) -> str | None:
    """The first file of `as_dicts` that is there now and has another size; None where there is none."""
    for thing in things:
        now = _size_bytes(thing["where"])
        if "size_bytes" in thing and now is not None and now != thing["size_bytes"]:
            return str(thing["where"])
    return None


def _size_bytes(where: str) -> int | None:
    try:
        return Path(where).stat().st_size
    except OSError:
        return None


def _plural(kind: str, count: int) -> str:
    return kind if count == 1 else f"{kind}es" if kind.endswith("x") else f"{kind}s"
