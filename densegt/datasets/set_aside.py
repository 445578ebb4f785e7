"""What a reader left out because it is bad, and went on without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

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


def as_dicts(things: Sequence[SetAside]) -> list[dict[str, str]]:
    """For JSON."""
    return [asdict(thing) for thing in things]


def _plural(kind: str, count: int) -> str:
    return kind if count == 1 else f"{kind}es" if kind.endswith("x") else f"{kind}s"
