"""What an executor is, and the plainest one."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import Any, Protocol

from densegt.batch.executor.attempt import Failed, Item, Result, Work, attempt

# Is given an item and what its work tells; the latest counts, for an item may be begun again.
Heard = Callable[[Any, Any], None]


def unheard(item: Any, message: Any) -> None:
    """For those who do not listen."""


class Executor(Protocol):
    """Does work on items."""

    def run(
        self, work: Work[Item, Result], items: Sequence[Item], heard: Heard = unheard
    ) -> Generator[tuple[Item, Result | Failed], None, None]:
        """Yield each item and its result as they are done, in any order.

        A generator: closing it stops all work at once.
        """
        ...


class Here:
    """In this process, one after the other."""

    def run(
        self, work: Work[Item, Result], items: Sequence[Item], heard: Heard = unheard
    ) -> Generator[tuple[Item, Result | Failed], None, None]:
        """Yield each item and its result, in order."""
        for item in items:
            yield item, attempt(work, item, partial(heard, item))
