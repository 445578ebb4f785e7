"""Options that several commands share, given to a command as one frozen dataclass."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def option_group(keyword: str, group: type[Any], *options: Decorator) -> Decorator:
    """Decorator that adds options to a command, which receives their values as `keyword=group(...)`.

    Args:
        group: a dataclass with a field for each option.
        options: made by `click.option`, in the order of the help.
    """
    names = [field.name for field in dataclasses.fields(group)]

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def grouped(*args: Any, **values: Any) -> Any:
            values[keyword] = group(**{name: values.pop(name) for name in names})
            return command(*args, **values)

        decorated: Callable[..., Any] = grouped
        for option in reversed(options):
            decorated = option(decorated)
        return decorated

    return decorate
