"""Slow twins of densegt.kernels.fletcher32."""

from __future__ import annotations


def fletcher32(data):
    """Two sums of 16-bit words, folded after every 360 and twice at the end."""
    words = [256 * a + b for a, b in zip(data[::2].tolist(), data[1::2].tolist(), strict=False)]
    low = high = 0

    def fold(value):
        return (value & 0xFFFF) + (value >> 16)

    for start in range(0, len(words), 360):
        for word in words[start : start + 360]:
            low += word
            high += low
        low, high = fold(low), fold(high)
    if len(data) % 2:
        low += 256 * int(data[-1])
        high += low
        low, high = fold(low), fold(high)
    return fold(high) << 16 | fold(low)
