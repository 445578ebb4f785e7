"""The reference implementation of a kernel, slow and obvious.

Same module name, function name and arguments in tests/reference.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any


def twin_of(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """The function of the same name in the file of tests/reference that is named like the kernel's module."""
    module = kernel.__module__.removeprefix("densegt.kernels.")
    return getattr(import_module(f".reference.{module}", __package__), kernel.__name__)
