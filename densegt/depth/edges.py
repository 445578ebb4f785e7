"""Depth discontinuities: where depth jumps by more than the plane it lies on explains."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from densegt.depth.matching import known, tolerance_m

Float32 = NDArray[np.float32]
Bool = NDArray[np.bool_]


def near_edges(truth_m: Float32, *, radius_px: float = 5.0) -> Bool:
    """Pixels (H,W) within `radius_px` (Euclidean) of a depth edge, the edge's own two pixels included."""
    import cv2

    edge = depth_edges(truth_m)
    if not edge.any():
        return edge
    distance_px = cv2.distanceTransform((~edge).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    near: Bool = np.asarray(distance_px) <= radius_px
    return near


def depth_edges(truth_m: Float32) -> Bool:
    """Pixels (H,W) that border on a jump in depth, both sides of it.

    Two 4-neighbours a, b with known depth are a jump when they differ by more than max(0.5 m, 5 % of the nearer one)
    and neither side's plane explains it: inverse depth is linear across the image of a plane, so b is foretold by a
    and the pixel before a, and a by b and the pixel after b. Ground at a grazing angle is therefore no edge, however
    fast its depth grows. A border with the sky (no depth) is none either: nothing can shine through from there.
    """
    edge = np.zeros(truth_m.shape, dtype=np.bool_)
    jump = _jumps_along_rows(truth_m)
    edge[:, :-1] |= jump
    edge[:, 1:] |= jump
    jump = _jumps_along_rows(truth_m.T).T
    edge[:-1] |= jump
    edge[1:] |= jump
    return edge


def _jumps_along_rows(truth_m: Float32) -> Bool:
    """(H,W-1): is there a jump between column j and j + 1."""
    has = known(truth_m)
    depth = np.where(has, truth_m, 1).astype(np.float32)
    inverse = np.where(has, 1 / depth, np.nan).astype(np.float32)
    a, b = depth[:, :-1], depth[:, 1:]
    allowed = tolerance_m(np.minimum(a, b))
    jump: Bool = has[:, :-1] & has[:, 1:] & (np.abs(a - b) > allowed)
    if jump.any():
        jump &= ~_foretold(inverse, b, allowed)
        jump &= ~_foretold(inverse[:, ::-1], a[:, ::-1], allowed[:, ::-1])[:, ::-1]
    return jump


def _foretold(inverse: Float32, b: Float32, allowed: Float32) -> Bool:
    """Where the plane through columns j - 1 and j meets column j + 1 (depth b, (H,W-1)) within `allowed`."""
    foretold = np.zeros(b.shape, dtype=np.bool_)
    ahead = 2 * inverse[:, 1:-1] - inverse[:, :-2]  # NaN where a pixel is unknown, <= 0 beyond the plane's horizon
    ahead[~(ahead > 0)] = np.nan
    foretold[:, 1:] = np.abs(1 / ahead - b[:, 1:]) <= allowed[:, 1:]
    return foretold
