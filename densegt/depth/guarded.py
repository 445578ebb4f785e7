"""A file for HDF5 to read from that refuses damage on which HDF5 hangs or crashes.

Texts lie in heaps, the one structure of its files without a checksum. A heap in which an object has the size zero HDF5
reads for ever, deaf to Ctrl-C, and one with sizes too large it may read beyond. Each heap is checked when read.
"""

from __future__ import annotations

import io
import struct
from typing import Any

_MAGIC = b"GCOL\x01"
_HEAP = struct.Struct("<8xQ")  # its size
_OBJECT = struct.Struct("<HHIQ")  # index (0: free space, from here on), references, nothing, size


class GuardedFile(io.FileIO):
    """A file opened for reading.

    Raises:
        OSError: what is read is a heap that is damaged.
    """

    def readinto(self, buffer: Any) -> int | None:
        """Fill a buffer; zeros behind the end, as HDF5 expects."""
        view = memoryview(buffer).cast("B")
        count = super().readinto(view) or 0
        view[count:] = bytes(len(view) - count)
        if view[: len(_MAGIC)] == _MAGIC and len(view) >= _HEAP.size:
            check_heap(view)
        return len(view)


def check_heap(heap: memoryview) -> None:
    """Check the sizes of a heap's objects, or of those at its beginning.

    Raises:
        OSError: one has a size that cannot be.
    """
    (size,) = _HEAP.unpack_from(heap)
    at = _HEAP.size
    while at + _OBJECT.size <= min(size, len(heap)):
        index, _, _, length = _OBJECT.unpack_from(heap, at)
        # Free space counts its own header, objects do not and are padded to 8 bytes.
        space = length if index == 0 else _OBJECT.size + (length + 7) // 8 * 8
        if not _OBJECT.size <= space <= size - at:
            raise OSError("a heap of texts is damaged")
        at += space
