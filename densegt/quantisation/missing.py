"""What is said where a package of the deploy extra is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from densegt.errors import InputError
from densegt.install_hint import install_command


@contextmanager
def require_deploy(command: str) -> Iterator[None]:
    """Turn a failed import into advice.

    Raises:
        InputError: a package is missing or broken.
    """
    try:
        yield
    except ImportError as error:
        raise InputError(f"{command}: {error}; {install_command('deploy')}") from None
