"""A file for HDF5 to write to that never raises while HDF5 holds it.

HDF5 cannot close a file that it could not write: on a full disk it repeats the error without end and then crashes the
process. So the first error is kept here, later writes are dropped, HDF5 closes, and `check` raises the error.
"""

from __future__ import annotations

import os
from pathlib import Path


class Sink:
    """A file object with the methods that h5py calls.

    Attributes:
        known_as: the path in error messages.
        error: the first that the system gave; from then on nothing is written.
    """

    def __init__(self, path: Path, *, known_as: Path) -> None:
        self.known_as = known_as
        self.error: OSError | None = None
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        self._size = 0
        self._position = 0

    def write(self, data: memoryview) -> int:
        """Write all of it, or note why not."""
        data = memoryview(data).cast("B")
        written = 0
        try:
            while self.error is None and written < len(data):
                written += os.pwrite(self._descriptor, data[written:], self._position + written)
        except OSError as error:
            self.error = error
        self._position += len(data)
        self._size = max(self._size, self._position)
        return len(data)

    def read(self, size: int) -> bytes:
        """Of so many bytes; h5py knows a file by its having this."""
        data = bytearray(size)
        self.readinto(memoryview(data))
        return bytes(data)

    def readinto(self, buffer: memoryview) -> int:
        """Read to the end of what was written; zeros where writing has failed."""
        view = memoryview(buffer).cast("B")
        data = os.pread(self._descriptor, len(view), self._position)
        view[: len(data)] = data
        view[len(data) :] = bytes(len(view) - len(data))
        self._position += len(view)
        return len(view)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """From the start, from here, or from the end of what should have been written."""
        self._position = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        return self._position

    def tell(self) -> int:
        """Where the next byte goes."""
        return self._position

    def truncate(self, size: int | None = None) -> int:
        """Set the size."""
        self._size = self._position if size is None else size
        try:
            if self.error is None:
                os.ftruncate(self._descriptor, self._size)
        except OSError as error:
            self.error = error
        return self._size

    def flush(self) -> None:
        """Nothing is held back."""

    def check(self) -> None:
        """Raise the first error.

        Raises:
            OSError: the disk is full or gone; names the file.
        """
        if self.error is not None:
            raise OSError(self.error.errno, self.error.strerror, str(self.known_as))

    def finish(self) -> None:
        """Let the system put it on the disk, so that its name never outlives its content.

        Raises:
            OSError: it could not, or could not write before.
        """
        self.check()
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Close."""
        os.close(self._descriptor)
