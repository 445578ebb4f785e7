"""Where time goes: processor seconds of each function of some modules, without those of the functions it calls.

A profiler of Python sees no numba kernel; here kernels count like functions.
"""

from __future__ import annotations

import functools
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import Any

from numba.core.dispatcher import Dispatcher

PACKAGE = "densegt."


@dataclass
class Stopwatch:
    """Seconds and calls by name of function."""

    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    calls: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _inside: list[float] = field(default_factory=list)

    def timed(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        """The same function, its own time counted."""

        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            self._inside.append(0.0)
            start = time.process_time()
            try:
                return function(*args, **kwargs)
            finally:
                whole = time.process_time() - start
                self.seconds[name] += whole - self._inside.pop()
                self.calls[name] += 1
                if self._inside:
                    self._inside[-1] += whole

        return run

    def most(self, count: int) -> list[tuple[str, float, int]]:
        """Names, seconds and calls of the functions that took longest."""
        order = sorted(self.seconds, key=self.seconds.__getitem__, reverse=True)
        return [(name, self.seconds[name], self.calls[name]) for name in order[:count]]


@contextmanager
def watching(modules: Sequence[ModuleType]) -> Iterator[Stopwatch]:
    """Count the time of all densegt functions, methods and kernels that these modules name."""
    watch, undo = Stopwatch(), []
    wrapped: dict[int, Callable[..., Any]] = {}
    for owner in _owners(modules):
        for name, value in list(vars(owner).items()):
            if not _ours(value) or name.startswith("__"):
                continue
            label = f"{owner.__name__}.{name}" if isinstance(owner, type) else value.__name__
            label = f"{label} (kernel)" if isinstance(value, Dispatcher) else label
            undo.append((owner, name, value))
            setattr(owner, name, wrapped.setdefault(id(value), watch.timed(value, label)))
    try:
        yield watch
    finally:
        for owner, name, value in undo:
            setattr(owner, name, value)


def _owners(modules: Sequence[ModuleType]) -> list[ModuleType | type]:
    """The modules, and the classes defined in them."""
    classes = [v for m in modules for v in vars(m).values() if isinstance(v, type) and v.__module__ == m.__name__]
    return [*modules, *classes]


def _ours(value: object) -> bool:
    return isinstance(value, Dispatcher | FunctionType) and value.__module__.startswith(PACKAGE)
