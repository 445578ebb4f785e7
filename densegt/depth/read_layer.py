"""Layers of an image from its group in a store's file, and bounds on what a file can ask for.

A small file may claim any size, and a few bytes may inflate to gigabytes. What is claimed is looked at before it is
read, and no chunk is inflated beyond the size that it has by its dataset.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.depth.attributes import refuse
from densegt.depth.layer_codec import decode_layer

# A JPEG's side may have 65535 px; OpenCV resamples up to 32767.
MAX_SIDE_PX = 32767
# More than any camera has.
MAX_PIXELS = 1 << 26
# Of all layers of one image together: 20 megapixels in a dozen layers.
MAX_BYTES = 1 << 28
_MAX_LAYERS = 256
_MAX_CHUNKS = 1 << 16
_DEFLATE, _SHUFFLE, _FLETCHER32 = 1, 2, 3
_PIECE = 1 << 20


def check_layers(layers: Sequence[tuple[str, Any]]) -> None:
    """Refuse an image (by raising ValueError) whose layers together are larger than any image's.

    Args:
        layers: names and HDF5 datasets.
    """
    total = 0
    for name, data in layers:
        size = data.size or 0
        total += size * data.dtype.itemsize
        if size > MAX_PIXELS or max(data.shape or (), default=0) > MAX_SIDE_PX:
            refuse(f"{name} is {data.dtype} {data.shape}, larger than any image")
    if total > MAX_BYTES or len(layers) > _MAX_LAYERS:
        refuse(f"its {len(layers)} layers take {total >> 20} MiB; one image has {MAX_BYTES >> 20} MiB at most")


def read_layer(
    data: Any, name: str, dtype: type[np.generic] | None = None, *, shape: tuple[int, ...] | None = None
) -> NDArray[Any]:
    """An HDF5 dataset as a layer (H,W): numbers of this type, or any; where given, of this shape.

    Raises:
        ValueError: it is something else, or damaged.
    """
    kind_fits = dtype is None or np.can_cast(data.dtype, dtype, "equiv")
    if not kind_fits or data.ndim != 2 or data.shape != (shape or data.shape):
        refuse(f"{name} is {data.dtype} {data.shape}")
    return read_array(data, name)


def read_array(data: Any, name: str) -> NDArray[Any]:
    """An HDF5 dataset of numbers, of a size that was looked at.

    Raises:
        ValueError: it is something else, or damaged.
    """
    if data.dtype.kind not in "biuf" or not data.ndim or not data.size:
        refuse(f"{name} is {data.dtype} {data.shape}")
    if data.chunks is None:
        return np.asarray(data[()])
    filters = _filters(data)
    _check_chunks(data, name, filters)
    if is_one_chunk(data):
        mask, packed = data.id.read_direct_chunk((0,) * data.ndim)
        if mask == 0:
            return decode_layer(packed, data.dtype, data.shape)
    if _DEFLATE in filters:
        _check_inflated(data, name)
    return np.asarray(data[()])


def is_one_chunk(data: Any) -> bool:
    """Whether a dataset was written as `layer_codec` does."""
    if data.chunks != data.shape or _filters(data) != [_SHUFFLE, _DEFLATE, _FLETCHER32]:
        return False
    return bool(data.id.get_num_chunks() == 1)


def _filters(data: Any) -> list[int]:
    """Numbers of HDF5's filters, in the order of writing."""
    made = data.id.get_create_plist()
    return [made.get_filter(k)[0] for k in range(made.get_nfilters())]


def _check_chunks(data: Any, name: str, filters: Sequence[int]) -> None:
    """Chunks of a size and number that can be, through filters of which the size of what comes out is known."""
    if filters not in ([], [_FLETCHER32], *([*s, _DEFLATE, *f] for s in ([], [_SHUFFLE]) for f in ([], [_FLETCHER32]))):
        refuse(f"{name} is written through HDF5's filters {list(filters)}; gzip, with shuffle, is read")
    count = math.prod(-(-side // chunk) for side, chunk in zip(data.shape, data.chunks, strict=True))
    chunk_bytes = math.prod(data.chunks) * data.dtype.itemsize
    if chunk_bytes > MAX_BYTES or count > _MAX_CHUNKS:
        refuse(f"{name} is in {count} chunks of {data.chunks}")
    stored = data.id.get_num_chunks()
    file_bytes = data.file.id.get_filesize()
    if any(data.id.get_chunk_info(k).size > file_bytes for k in range(stored)):
        refuse(f"{name} has a chunk larger than the file")


def _check_inflated(data: Any, name: str) -> None:
    """Inflate each chunk in small pieces, to no more than its size."""
    chunk_bytes = math.prod(data.chunks) * data.dtype.itemsize
    for k in range(data.id.get_num_chunks()):
        mask, packed = data.id.read_direct_chunk(data.id.get_chunk_info(k).chunk_offset)
        if mask:
            refuse(f"{name} has a chunk that went through other filters")
        stream, left = zlib.decompressobj(), bytes(packed)
        size = 0
        while left and not stream.eof and size <= chunk_bytes:
            size += len(stream.decompress(left, _PIECE))
            left = stream.unconsumed_tail
        if size > chunk_bytes:
            refuse(f"{name} has a chunk that inflates to more than its {chunk_bytes} bytes")
