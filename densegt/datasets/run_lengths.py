"""Masks as run lengths, as COCO writes them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def mask_of_runs(counts: Sequence[int], size_px: Sequence[int], image_px: tuple[int, int]) -> NDArray[np.bool_]:
    """Mask (H,W) of runs, column by column, beginning with what is outside.

    Args:
        size_px: (height, width) that the runs are of; image_px: that of the image.

    Raises:
        ValueError: they are of another image, or do not fill it.
    """
    runs, (height, width) = np.asarray(counts, dtype=np.int64), size_px
    if (height, width) != image_px or (runs < 0).any() or runs.sum() != height * width:
        of_image = f"its image is {image_px[1]}x{image_px[0]}"
        raise ValueError(f"a mask of {width}x{height} px holds {runs.sum()}, and {of_image}")
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    return flat.reshape(width, height).T
