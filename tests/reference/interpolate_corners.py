"""What lies between the corners of triangles, all at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def interpolate_corners(corners: NDArray[Any], triangle: NDArray[Any], bary: NDArray[Any], out: NDArray[Any]) -> None:
    """The mean of three corners by their weights."""
    weights = np.column_stack([1 - bary.sum(axis=1), bary])
    out[:] = (corners[triangle] * weights[:, :, None]).sum(axis=1)
