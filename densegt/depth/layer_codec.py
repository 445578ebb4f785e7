"""A layer as HDF5 stores a chunk: shuffled, deflated, with a checksum.

HDF5's own filters make such a chunk too, by zlib. libdeflate makes a smaller one in half the time, and the same one on
every machine; whatever reads HDF5 reads both.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import deflate
import numpy as np
from numpy.typing import NDArray

from densegt.kernels.fletcher32 import fletcher32
from densegt.kernels.quantise import byte_planes, join_two_planes

LEVEL = 1
# What h5py is told of such a chunk, in the order of its filters.
FILTERS: dict[str, Any] = {"shuffle": True, "compression": "gzip", "compression_opts": LEVEL, "fletcher32": True}


class EncodedLayer(NamedTuple):
    """A layer (H,W) as the one chunk that holds it."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    chunk: bytes


def encode_layers(layers: Mapping[str, NDArray[Any]]) -> list[EncodedLayer]:
    """An image's layers (H,W), each encoded."""
    return [EncodedLayer(name, layer.shape, layer.dtype, encode_layer(layer)) for name, layer in layers.items()]


def encode_layer(layer: NDArray[Any]) -> bytes:
    """The chunk (bytes) that holds a layer (H,W) whole, to be read through `FILTERS`."""
    little = np.ascontiguousarray(layer, dtype=layer.dtype.newbyteorder("<"))
    values = little.reshape(-1).view(np.uint8).reshape(little.size, little.itemsize)
    planes = np.empty((little.itemsize, little.size), dtype=np.uint8)
    byte_planes(values, planes)
    packed = bytes(deflate.zlib_compress(planes.data, LEVEL))
    return packed + fletcher32(np.frombuffer(packed, dtype=np.uint8)).to_bytes(4, "little")


def decode_layer(chunk: bytes, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """The layer (H,W) that such a chunk holds.

    Raises:
        ValueError: its checksum is wrong, or it is of another size.
    """
    packed, checksum = chunk[:-4], int.from_bytes(chunk[-4:], "little")
    if fletcher32(np.frombuffer(packed, dtype=np.uint8)) != checksum:
        raise ValueError("a chunk's checksum is wrong")
    size = math.prod(shape)
    try:
        # One byte more than it should have, or a chunk that is too long would be cut.
        plain = deflate.zlib_decompress(packed, size * dtype.itemsize + 1)
    except deflate.DeflateError:
        raise ValueError("a chunk cannot be inflated to its size") from None
    if len(plain) != size * dtype.itemsize:
        raise ValueError(f"a chunk inflates to {len(plain)} bytes, not {size * dtype.itemsize}")
    planes = np.frombuffer(plain, dtype=np.uint8).reshape(dtype.itemsize, size)
    if dtype.itemsize == 2:
        values = np.empty(shape, dtype=np.uint16)
        join_two_planes(planes[0], planes[1], values.ravel())
        return values.view(dtype)
    return np.ascontiguousarray(planes.T).view(dtype).reshape(shape)
