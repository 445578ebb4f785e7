"""A recording for work that may run in another process."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import Any

from densegt.datasets import RecordingPath
from densegt.datasets.recording import Recording


class RecordingHandle:
    """A recording that each process opens once, when first asked; only its path is pickled."""

    def __init__(self, path: RecordingPath) -> None:
        self.path = path

    @cached_property
    def recording(self) -> Recording:
        """The recording."""
        return self.path.open()

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (self.path,)


@lru_cache(maxsize=1)
def _unpickled(path: RecordingPath) -> RecordingHandle:
    return RecordingHandle(path)
