"""The colour of the sky at dusk and at night: that of what a lidar's beams went through without meeting anything."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
# Chosen on simulated cities at dusk and at night (seeds 1003, 1004, 1009, 1010, 1014).
# A lidar's beams reach as high as the highest measurement of an image, but for a few odd ones. Where the highest of
# all around is farther below that than a share of the height, beams went into the sky.
ODD_SHARE = 0.02
BESIDE_SHARE, GAP_SHARE = 0.03, 0.1
# What is this close above a measurement is left out: roofs and crowns that no beam met.
MARGIN_SHARE = 0.04
# One pixel of so many is asked, in rows and in columns.
STRIDE = 4
# So many must be asked, and half of them differ from one colour by no more than this (of 255).
LEAST_PIXELS, MOST_SPREAD = 30, 12.0
# A pixel is of that colour if it differs by no more than this, and as much again as most of the others do.
SAME_COLOUR, SPREADS = 25.0, 3.0
# Where more of what is measured has the colour, it is that of a wall without returns; to leave a night's sky filled
# costs less than to lose a wall. Chosen on the same cities and on two simple streets.
MOST_ALIKE = 0.45
# What is off by more than twice the median is no sky, and the colour is found anew, so often.
FITS = 4


def is_day(colour: Float32, brightness: float, max_yellow: float, max_blue: float) -> bool:
    """Whether a colour (3,) RGB is that of a bright sky, as the kernel `open_sky` tells it."""
    bluer = float(colour[2] - colour[0])
    return float(colour.max()) + 2 * min(max(bluer, 0.0), max_blue) >= brightness and -bluer <= max_yellow


def sky_samples(image: NDArray[np.uint8], known_t: NDArray[np.bool_]) -> tuple[Float32, Float32] | None:
    """Rows (N,) and colours (N,3) of pixels that beams went through and met nothing; None where they are too few.

    Args:
        image: (H,W,3) RGB.
        known_t: (W,H) measured pixels of the transposed image, in which a column's first is found at once.
    """
    if not known_t.size:
        return None
    height = known_t.shape[1]
    highest = known_t.argmax(axis=1)
    columns = known_t[np.arange(len(known_t)), highest]
    if not columns.any():
        return None
    first = np.where(columns, highest, height).astype(np.float32)
    top = float(np.quantile(first[columns], ODD_SHARE))
    # The highest measurement of the columns around: between two points of a beam there is none.
    beside = max(1, round(BESIDE_SHARE * height))
    around = cv2.erode(first[None], np.ones((1, 2 * beside + 1), np.uint8))
    first = np.asarray(around, np.float32)[0, ::STRIDE]
    rows = np.arange(0, height, STRIDE)
    passed = (first - top > GAP_SHARE * height) & (rows[:, None] > top)
    passed &= rows[:, None] < first - MARGIN_SHARE * height
    if np.count_nonzero(passed) < LEAST_PIXELS:
        return None
    return rows[np.nonzero(passed)[0]].astype(np.float32), image[::STRIDE, ::STRIDE][passed].astype(np.float32)


def sky_coloured(
    image: NDArray[np.uint8], known: NDArray[np.bool_], rows: Float32, colours: Float32
) -> NDArray[np.bool_] | None:
    """Pixels (H,W) of the colour of such samples, which may change evenly from the horizon up; None where they have
    none in common, or what is measured has it too.

    Args:
        image: (H,W,3) RGB.
        known: (H,W) measured pixels.
        rows, colours: (N,) and (N,3), see `sky_samples`.
    """
    terms = np.stack([np.ones_like(rows), rows], axis=1)
    change = np.stack([np.median(colours, axis=0), np.zeros(3, np.float32)])
    for _ in range(FITS):
        off = np.abs(colours - terms @ change).max(axis=1)
        close = off <= max(SAME_COLOUR, 2 * float(np.median(off)))
        change = np.linalg.lstsq(terms[close], colours[close], rcond=None)[0].astype(np.float32)
    spread = float(np.median(np.abs(colours - terms @ change).max(axis=1)))
    if spread > MOST_SPREAD:
        return None
    # Beyond what was seen of it, it is taken to change no more.
    row = np.arange(len(image), dtype=np.float32).clip(rows.min(), rows.max())
    colour = (change[0] + row[:, None] * change[1]).astype(np.float32)
    away = np.abs(image - colour[:, None]).max(axis=2)
    coloured = np.asarray(away <= SAME_COLOUR + SPREADS * spread)
    return coloured if coloured[known].mean() < MOST_ALIKE else None
