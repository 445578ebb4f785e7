"""Where an image's layers lie in a file, so that they are read again without walking HDF5's structures.

HDF5 takes some 3 ms to open a file, find a group and check its attributes; to read chunks at known places takes a
hundredth of that. A place is noted only after all of it was checked, and serves only as long as the file is the same.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from densegt.depth.file_identity import FileIdentity
from densegt.depth.layer_codec import decode_layer
from densegt.depth.read_layer import is_one_chunk


class ChunkPlace(NamedTuple):
    """The one chunk that holds a layer: its first byte in the file, its bytes, and what it inflates to."""

    offset: int
    size: int
    dtype: np.dtype[Any]
    shape: tuple[int, ...]


def chunk_places(layers: Mapping[str, Any]) -> dict[str, ChunkPlace] | None:
    """Places of HDF5 datasets by name; None where one is kept in another way than densegt's own."""
    found = {}
    for name, data in layers.items():
        if not is_one_chunk(data) or data.file.userblock_size:
            return None
        chunk = data.id.get_chunk_info(0)
        if chunk.filter_mask:
            return None
        found[name] = ChunkPlace(chunk.byte_offset, chunk.size, data.dtype, data.shape)
    return found


def read_chunks(
    path: Path, places: Mapping[str, ChunkPlace], identity: FileIdentity | None
) -> dict[str, NDArray[Any]] | None:
    """The layers (H,W) at these places; None where the file is another, damaged, or cannot be read any more."""
    try:
        file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except OSError:
        return None
    try:
        if identity != FileIdentity.of_open(file):
            return None
        packed = {name: os.pread(file, place.size, place.offset) for name, place in places.items()}
    except OSError:
        return None
    finally:
        os.close(file)
    try:
        return {name: decode_layer(packed[name], place.dtype, place.shape) for name, place in places.items()}
    except ValueError:
        return None
