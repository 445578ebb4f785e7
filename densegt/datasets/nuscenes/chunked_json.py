"""Reads a table of gigabytes in pieces of a few thousand rows, so that memory does not grow with the table."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TypeVar

import msgspec

from densegt.datasets.nuscenes.rows import BLANK, MAX_WHOLE_BYTES, Row, decode_rows, open_table, read_rows
from densegt.errors import InputError

# Small, so that a piece's rows stay in the processor's cache: twice as fast as with a megabyte.
PIECE_BYTES = 1 << 16
# A table without a place to cut in so many bytes is in no usual layout.
_MAX_PIECE_BYTES = 64 << 20
_OPEN, _CLOSE = b"[]"


class _NotInPiecesError(Exception):
    """The table cannot be cut, or is damaged."""


Quick = TypeVar("Quick", bound=msgspec.Struct)


def read_in_chunks(path: Path, row: type[Row], quick: type[Quick]) -> Iterator[list[Row] | list[Quick]]:
    """Decode one table piece by piece; together the pieces are what `read_rows` gives, but for fields left out.

    A piece ends at a `},`. Where that stands inside a string or a nested object, the piece is no JSON; then, and
    wherever else a piece does not decode, the table is read at once, which also finds the words for what is wrong; of
    a table that is too large for that, the piece.

    Args:
        path: the table.
        row: what its rows are.
        quick: those of its fields that are used, decoded faster and more strictly.

    Raises:
        InputError: as `read_rows`, perhaps after some pieces were given.
    """
    decoder = msgspec.json.Decoder(list[quick])  # type: ignore[valid-type]
    given = 0
    try:
        with open_table(path) as file:
            large = os.fstat(file.fileno()).st_size > MAX_WHOLE_BYTES
            for piece in _pieces(file):
                decoded = _decoded(path, decoder, piece, row) if large else decoder.decode(piece)
                given += len(decoded)
                yield decoded
        return
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    except (_NotInPiecesError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    yield read_rows(path, row)[given:]


def _decoded(
    path: Path, decoder: msgspec.json.Decoder[list[Quick]], piece: bytearray | memoryview, row: type[Row]
) -> list[Row] | list[Quick]:
    try:
        return decoder.decode(piece)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return decode_rows(path, bytes(piece), row)


def _pieces(file: IO[bytes]) -> Iterator[bytearray | memoryview]:
    """JSON arrays which one after the other hold the file's rows."""
    rest, was_cut, searched = bytearray(file.read(PIECE_BYTES).lstrip(BLANK)), False, 0
    if not rest.startswith(b"["):
        raise _NotInPiecesError
    while True:
        # Where there is no place to cut, what was searched is not searched again.
        cut = rest.rfind(b"},", searched) + 1
        if cut:
            # The comma becomes the end of this array and then the beginning of the next.
            rest[cut] = _CLOSE
            yield memoryview(rest)[: cut + 1]
            rest, was_cut = rest[cut:], True
            rest[0] = _OPEN
        if len(rest) > _MAX_PIECE_BYTES:
            raise _NotInPiecesError
        searched = len(rest) - 1
        more = file.read(PIECE_BYTES)
        if not more:
            break
        rest += more
    # After a comma there must be one more row, or an array that is no JSON would pass.
    if was_cut and rest[1:].strip(BLANK) == b"]":
        raise _NotInPiecesError
    yield rest
