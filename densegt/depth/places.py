"""Places: squares of images in which most pixels are marked."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

# Squares are tried at every fourth of their side.
_STEPS_A_SIDE = 4


@dataclass(frozen=True, order=True)
class Place:
    """A square of an image.

    Attributes:
        pixels: how many of its pixels are marked.
        row, column: its upper left pixel.
        height, width: px; less than the side that was asked for where the image is smaller.
    """

    pixels: int
    scene: str = field(compare=False)
    sample_token: str = field(compare=False)
    channel: str = field(compare=False)
    row: int = field(compare=False)
    column: int = field(compare=False)
    height: int = field(compare=False)
    width: int = field(compare=False)


def busiest_squares(marked: NDArray[np.bool_], side_px: int, most: int) -> list[tuple[int, int, int, int, int]]:
    """At most so many squares of a mask (H,W) with marked pixels, those with most first; none meets another.

    Returns:
        (marked pixels, row, column, height, width) of each.
    """
    height, width = (min(side_px, side) for side in marked.shape)
    if height == 0 or width == 0:
        return []
    step = max(1, side_px // _STEPS_A_SIDE)
    sums = np.zeros((marked.shape[0] + 1, marked.shape[1] + 1), dtype=np.int64)
    sums[1:, 1:] = marked.cumsum(axis=0).cumsum(axis=1)
    rows = np.unique(np.append(np.arange(0, marked.shape[0] - height + 1, step), marked.shape[0] - height))
    columns = np.unique(np.append(np.arange(0, marked.shape[1] - width + 1, step), marked.shape[1] - width))
    low, high = np.ix_(rows, columns), np.ix_(rows + height, columns + width)
    count = sums[high] - sums[low[0], high[1]] - sums[high[0], low[1]] + sums[low]
    found: list[tuple[int, int, int, int, int]] = []
    while len(found) < most and count.max() > 0:
        i, j = np.unravel_index(int(count.argmax()), count.shape)
        found.append((int(count[i, j]), int(rows[i]), int(columns[j]), height, width))
        meets = (np.abs(rows - rows[i])[:, None] < height) & (np.abs(columns - columns[j]) < width)
        count[meets] = 0
    return found


class WorstPlaces:
    """Keeps the busiest squares of many images; `update` with each mask, then `compute`."""

    def __init__(self, most: int, *, of_one_image: int = 2) -> None:
        self._most, self._of_one_image = most, of_one_image
        self._heap: list[tuple[int, int, Place]] = []
        self._seen = 0

    def update(self, key: tuple[str, str, str], marked: NDArray[np.bool_]) -> None:
        """Add an image's mask (H,W).

        Args:
            key: scene, sample token, channel.
        """
        side_px = max(16, marked.shape[1] // 8)
        for pixels, *square in busiest_squares(marked, side_px, self._of_one_image):
            self._seen += 1
            # Of equals the earlier one stays.
            heapq.heappush(self._heap, (pixels, -self._seen, Place(pixels, *key, *square)))
            if len(self._heap) > self._most:
                heapq.heappop(self._heap)

    def compute(self) -> list[Place]:
        """The places, those with most marked pixels first."""
        return [place for _, _, place in sorted(self._heap, reverse=True)]
