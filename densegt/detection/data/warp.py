"""Pictures and depth under an image's affine map. Depth is never interpolated."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from densegt.detection.data.depth_layers import DepthLayers
from densegt.kernels.nearest_layers import nearest_layers

Float64 = NDArray[np.float64]
Places = tuple[NDArray[np.intp], NDArray[np.intp]]


def warp_image(image: NDArray[np.uint8], A: Float64, to_px: tuple[int, int]) -> NDArray[np.uint8]:
    """(H,W,3) to (h,w,3): averaged over areas where it shrinks, black where the map leads outside."""
    import cv2

    sx, sy = np.hypot(A[0, 0], A[1, 0]), np.hypot(A[0, 1], A[1, 1])
    height, width = image.shape[:2]
    small = max(round(width * sx), 1), max(round(height * sy), 1)
    if sx < 1 or sy < 1:
        image = np.asarray(cv2.resize(image, small, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        rx, ry = small[0] / width, small[1] / height
        shrink = np.array([[rx, 0, rx / 2 - 0.5], [0, ry, ry / 2 - 0.5], [0, 0, 1]])
        A = A @ inverse(shrink)
    warped = cv2.warpAffine(image, A[:2], (to_px[1], to_px[0]), flags=cv2.INTER_LINEAR)
    return np.asarray(warped, dtype=np.uint8)


def warp_points(layers: DepthLayers, A: Float64, to_px: tuple[int, int]) -> DepthLayers:
    """Carry every known pixel to the one it falls on; the nearest surface wins. For sparse depth: none is lost."""
    v, u = np.nonzero(layers.depth_m > 0)
    depth_m = layers.depth_m[v, u]
    # The last of those that meet stays, so the nearest comes last.
    order = np.argsort(-depth_m, kind="stable")
    u, v = u[order], v[order]
    column, row = np.floor(A[:2, :2] @ np.stack([u, v]) + A[:2, 2:] + 0.5).astype(np.intp)
    inside = (column >= 0) & (column < to_px[1]) & (row >= 0) & (row < to_px[0])
    at, of = (row[inside], column[inside]), (v[inside], u[inside])
    return _carried(layers, at, of, to_px)


def warp_surface(layers: DepthLayers, A: Float64, to_px: tuple[int, int]) -> DepthLayers:
    """Give every pixel what lies at its centre. For dense depth: no bias to what is near."""
    out = DepthLayers(np.empty(to_px, np.float32), np.empty(to_px, np.uint8), np.empty(to_px, np.float32))
    nearest_layers(inverse(A), *layers, *out)
    return out


def inverse(A: Float64) -> Float64:
    """Of an affine map (3,3). For so few numbers LAPACK's threads wait longer on a busy machine than this takes."""
    (a, b, u), (c, d, v) = A[0], A[1]
    turn = np.array([[d, -b], [-c, a]]) / (a * d - b * c)
    back = np.eye(3)
    back[:2, :2], back[:2, 2] = turn, -turn @ [u, v]
    return back


def _carried(layers: DepthLayers, at: Places, of: Places, to_px: tuple[int, int]) -> DepthLayers:
    out = DepthLayers.unknown(to_px)
    for made, given in ((out.depth_m, layers.depth_m), (out.confidence, layers.confidence)):
        made[at] = given[of]
    out.source[at] = layers.source[of]
    return out
