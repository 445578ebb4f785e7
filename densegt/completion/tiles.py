"""Large images in pieces, so that memory stays bounded; each piece sees all that its middle's answer depends on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

# How far a pixel of the answer looks, for the network's default shape, rounded up to its stride:
# the sum over all layers, and over propagation's steps, of what each adds.
MARGIN_PX = 176
# An image of so many pixels is one piece: 1600x900 is. A piece takes about 0.7 GB.
MAX_PIECE_PX = 1_500_000
CORE_PX = 880


@dataclass(frozen=True)
class Tile:
    """Rows and columns, (start, stop) each: those to compute, and those of the answer that count."""

    seen: tuple[slice, slice]
    kept: tuple[slice, slice]


def tiles(height_px: int, width_px: int, *, max_piece_px: int = MAX_PIECE_PX, core_px: int = CORE_PX) -> Iterator[Tile]:
    """Pieces whose kept parts cover the image once. `core_px` must be a multiple of the network's stride."""
    if height_px * width_px <= max_piece_px:
        whole = slice(0, height_px), slice(0, width_px)
        yield Tile(whole, whole)
        return
    for top in range(0, height_px, core_px):
        for left in range(0, width_px, core_px):
            kept = slice(top, min(top + core_px, height_px)), slice(left, min(left + core_px, width_px))
            yield Tile((_widened(kept[0], height_px), _widened(kept[1], width_px)), kept)


def _widened(kept: slice, length: int) -> slice:
    return slice(max(0, kept.start - MARGIN_PX), min(length, kept.stop + MARGIN_PX))
