"""What an executor is, and the one that works in this process."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import Any, Protocol

from densegt.batch.executor.attempt import Failed, Item, Result, Work, attempt

# Called with an item and a message of its work; a message of a second try may go back behind one of the first.
OnMessage = Callable[[Any, Any], None]


def ignore_message(item: Any, message: Any) -> None:
    """The default OnMessage."""


class Executor(Protocol):
    """Does work on items."""

    def run(
        self, work: Work[Item, Result], items: Sequence[Item], on_message: OnMessage = ignore_message
    ) -> Generator[tuple[Item, Result | Failed], None, None]:
        """Yield each item and its result as they are done, in any order.

        A generator: closing it stops all work at once.
        """
        ...


class Serial:
    """In this process, one after the other."""

    def run(
        self, work: Work[Item, Result], items: Sequence[Item], on_message: OnMessage = ignore_message
    ) -> Generator[tuple[Item, Result | Failed], None, None]:
        """Yield each item and its result, in order."""
        for item in items:
            yield item, attempt(work, item, partial(on_message, item))
