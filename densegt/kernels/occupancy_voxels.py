"""Points laid into voxels as a detector reads them, without torch: hard, and the soft kernel of end-to-end PL."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

NEIGHBOUR = np.float32(1 / 26)


class VoxelSpan(NamedTuple):
    """Where voxels lie.

    Attributes:
        corner_m, sides_m: (3,) float32 along z, y and x.
        end_m: (3,) float32 along z, y and x; a point there or beyond is outside.
    """

    corner_m: NDArray[np.float32]
    sides_m: NDArray[np.float32]
    end_m: NDArray[np.float32]


@njit(cache=True, nogil=True)
def number_voxels(xyz: NDArray[np.float32], span: VoxelSpan, out: NDArray[np.int32]) -> None:
    """Fill `out` (N,3) with the voxel of each point (N,3) along z, y and x; -1 throughout for a point outside.

    Voxels are closed below and open above, also where a division rounds; NaN is outside.
    """
    for i in range(len(xyz)):
        for axis in range(3):
            at = xyz[i, 2 - axis]
            low, side = span.corner_m[axis], span.sides_m[axis]
            if not (at >= low and at < span.end_m[axis]):
                out[i, :] = -1
                break
            number = np.floor((at - low) / side)
            if at < low + number * side:
                number -= np.float32(1)
            if at >= low + (number + np.float32(1)) * side:
                number += np.float32(1)
            out[i, axis] = np.int32(number)


@njit(cache=True, nogil=True)
def count_voxels(numbers: NDArray[np.int32], out: NDArray[np.float32]) -> None:
    """Add to `out` (Z,Y,X) how many of the points' voxels (N,3) each is; -1 is none."""
    for i in range(len(numbers)):
        z, y, x = numbers[i]
        if z >= 0:
            out[z, y, x] += np.float32(1)


@njit(cache=True, nogil=True)
def soft_voxels(
    xyz: NDArray[np.float32],
    numbers: NDArray[np.int32],
    counts: NDArray[np.float32],
    span: VoxelSpan,
    sigma_m: float,
    out: NDArray[np.float32],
) -> None:
    """Add to `out` (Z,Y,X) what each point gives its own voxel and the 26 around it.

    A point gives exp(-d^2 / sigma^2) of its share 1/count in its own voxel, d from the voxel's centre; neighbours get a
    twenty-sixth of theirs.

    Args:
        numbers, counts: as `number_voxels` and `count_voxels` leave them.
    """
    shape = out.shape
    bell = np.empty((3, 3), np.float32)
    scale = np.float32(1) / np.float32(sigma_m)
    for i in range(len(xyz)):
        if numbers[i, 0] < 0:
            continue
        for axis in range(3):
            number, side = numbers[i, axis], span.sides_m[axis]
            own = xyz[i, 2 - axis] - (span.corner_m[axis] + (np.float32(number) + np.float32(0.5)) * side)
            for step in range(3):
                inside = 0 <= number + step - 1 < shape[axis]
                away = (own - np.float32(step - 1) * side) * scale
                bell[axis, step] = np.exp(-away * away) if inside else np.float32(0)
        z, y, x = numbers[i]
        share = np.float32(1) / counts[z, y, x]
        for a in range(3):
            for b in range(3):
                for c in range(3):
                    amount = share * bell[0, a] * bell[1, b] * bell[2, c]
                    if amount == 0:
                        continue
                    if not (a == 1 and b == 1 and c == 1):
                        amount *= NEIGHBOUR
                    out[z + a - 1, y + b - 1, x + c - 1] += amount
