"""Arrays as text that a page carries: predicted, deflated, in base 85.

The page undoes it in `codec.js`: base 85 in a few lines, deflate in the browser itself. Canvas is no way for numbers:
some browsers blur what is read back from pictures.
"""

from __future__ import annotations

import base64
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

# "<" is the one character of Python's base 85 that HTML could take for markup.
_SAFE = bytes.maketrans(b"<", b"'")


def as_text(data: bytes) -> str:
    """Deflate bytes and write them in base 85 (a quarter longer; base 64 is a third)."""
    return base64.b85encode(zlib.compress(data, 9)).translate(_SAFE).decode("ascii")


def from_text(text: str) -> bytes:
    """The bytes of `as_text`."""
    return zlib.decompress(base64.b85decode(text.replace("'", "<")))


def encode_steps(steps: NDArray[np.uint16]) -> str:
    """A depth map (H,W) in the store's steps, without loss; 0 = unknown.

    Which pixels are known as bits, then what is left of each known pixel after prediction: high bytes, low bytes.
    """
    known = steps > 0
    left_over = _folded(steps.astype(np.int64) - _predicted(_filled(steps)))[known]
    high, low = (left_over >> 8).astype(np.uint8), (left_over & 255).astype(np.uint8)
    return as_text(np.packbits(known).tobytes() + high.tobytes() + low.tobytes())


def decode_steps(text: str, shape: tuple[int, int]) -> NDArray[np.uint16]:
    """The depth map of `encode_steps`, pixel by pixel as the page does it. Slow; for tests."""
    height, width = shape
    data = np.frombuffer(from_text(text), np.uint8)
    bits = (height * width + 7) // 8
    known = np.unpackbits(data[:bits])[: height * width].reshape(shape).astype(bool)
    high, low = np.split(data[bits:].astype(int), 2)
    rest = iter(high * 256 + low)
    out = np.zeros(shape, np.uint16)
    above = [0] * width
    for row in range(height):
        left, line = 0, [0] * width
        for col in range(width):
            if known[row, col]:
                code = next(rest)
                predicted = sorted((left, above[col], above[min(col + 1, width - 1)]))[1]
                left = (predicted + (code >> 1 ^ -(code & 1))) & 0xFFFF
                out[row, col] = left
            line[col] = left
        above = line
    return out


def encode_bytes(layer: NDArray[Any]) -> str:
    """A layer (H,W) uint8 as it is."""
    return as_text(np.ascontiguousarray(layer, dtype=np.uint8).tobytes())


def encode_uint16(values: NDArray[Any]) -> str:
    """Numbers of any shape in row-major order: all high bytes, then all low bytes."""
    words = np.ascontiguousarray(values).astype(np.uint16)
    return as_text((words >> 8).astype(np.uint8).tobytes() + (words & 255).astype(np.uint8).tobytes())


def _filled(steps: NDArray[np.uint16]) -> NDArray[np.int64]:
    """Unknown pixels take the last known of their row, so that what follows is predicted well."""
    col = np.where(steps > 0, np.arange(steps.shape[1]), 0)
    return np.take_along_axis(steps, np.maximum.accumulate(col, axis=1), axis=1).astype(np.int64)


def _predicted(filled: NDArray[np.int64]) -> NDArray[np.int64]:
    """The median of the pixels left, above, and above right; 0 beyond the left and upper border."""
    left, above = np.zeros_like(filled), np.zeros_like(filled)
    left[:, 1:] = filled[:, :-1]
    above[1:] = filled[:-1]
    right = np.concatenate([above[:, 1:], above[:, -1:]], axis=1)
    median: NDArray[np.int64] = np.maximum(np.minimum(left, above), np.minimum(np.maximum(left, above), right))
    return median


def _folded(difference: NDArray[np.int64]) -> NDArray[np.uint16]:
    """Differences modulo 2^16 as 0, -1, 1, -2, ... so that small ones of either sign are small numbers."""
    signed = difference.astype(np.uint16).astype(np.int16).astype(np.int32)
    return ((signed << 1) ^ (signed >> 31)).astype(np.uint16)
