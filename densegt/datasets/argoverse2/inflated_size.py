"""How large an Arrow stream becomes when it is read, from the headers of its messages alone."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

_COMPRESSION, _BUFFERS = 3, 2
_MAX_BUFFERS = 1 << 16


def inflated_bytes(stream: Any) -> int:
    """Bytes of all buffers of a stream, compressed ones as they will be inflated.

    Args:
        stream: a pyarrow buffer.

    Raises:
        ValueError: a message's header is damaged.
    """
    from pyarrow import ipc

    total = 0
    # Arrow has no such figure; the headers are flatbuffers, of which three fields are looked at.
    for message in ipc.MessageReader.open_stream(stream):
        if message.type in ("record batch", "dictionary"):
            try:
                total += sum(_buffer_bytes(message.metadata.to_pybytes(), message.body, message.type == "dictionary"))
            except (struct.error, IndexError) as error:
                raise ValueError(f"a message's header is damaged: {error}") from None
    return total


def _buffer_bytes(metadata: bytes, body: Any, is_dictionary: bool) -> Iterator[int]:
    (root,) = struct.unpack_from("<I", metadata)
    batch = _child(metadata, root, 2)
    if is_dictionary:
        batch = _child(metadata, batch, 1)
    compressed = _field(metadata, batch, _COMPRESSION) is not None
    buffers = _child(metadata, batch, _BUFFERS)
    (count,) = struct.unpack_from("<I", metadata, buffers)
    if count > _MAX_BUFFERS:
        raise ValueError(f"a message of {count} buffers")
    for k in range(count):
        offset, length = struct.unpack_from("<qq", metadata, buffers + 4 + 16 * k)
        inflated = -1
        if compressed and length:
            if not 0 <= offset <= body.size - 8:
                raise ValueError("a buffer lies outside of its message")
            (inflated,) = struct.unpack_from("<q", body, offset)
        yield max(length if inflated < 0 else inflated, 0)


def _field(metadata: bytes, table: int, number: int) -> int | None:
    """Where a table's field is; None where it has none."""
    (back,) = struct.unpack_from("<i", metadata, table)
    vtable = table - back
    if vtable < 0:
        raise ValueError("a message's header is damaged")
    (size,) = struct.unpack_from("<H", metadata, vtable)
    if 4 + 2 * number >= size:
        return None
    (at,) = struct.unpack_from("<H", metadata, vtable + 4 + 2 * number)
    return table + at if at else None


def _child(metadata: bytes, table: int, number: int) -> int:
    """Where the table or vector begins that a field refers to."""
    at = _field(metadata, table, number)
    if at is None:
        raise ValueError("a message's header lacks a field")
    return at + int(struct.unpack_from("<I", metadata, at)[0])
