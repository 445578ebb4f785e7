"""What others do to complete depth, written from their descriptions: nearest neighbour, straight lines, IP-Basic."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import LinearNDInterpolator

from densegt.completion.method import SparseDepth

Float32 = NDArray[np.float32]
# Depth is turned around at this, so that dilation lets the nearer win.
TOP_M = np.float32(256)


def nearest_neighbour(given: SparseDepth) -> Float32:
    """Each pixel takes the depth of the nearest measured one in the image."""
    known = given.depth_m > 0
    if not known.any():
        return np.zeros_like(given.depth_m)
    _, label = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    depth_of = np.zeros(label.max() + 1, np.float32)
    depth_of[label[known]] = given.depth_m[known]
    return depth_of[label]


def straight_lines(given: SparseDepth) -> Float32:
    """Delaunay triangles in inverse depth, in which planes are linear; nearest neighbour outside their hull."""
    out = nearest_neighbour(given)
    known = given.depth_m > 0
    # Measured pixels amid others are corners of no triangle that holds an unknown one.
    corners = known & (cv2.erode(known.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=1) == 0)
    at = np.argwhere(corners)
    if len(at) < 4 or (np.ptp(at, axis=0) == 0).any():
        return out
    wanted = np.argwhere(~known)
    inverse = LinearNDInterpolator(at, 1 / given.depth_m[corners])(wanted)
    inside = np.isfinite(inverse)
    out[tuple(wanted[inside].T)] = 1 / inverse[inside]
    return out


def ip_basic_gaussian(given: SparseDepth) -> Float32:
    """J. Ku, A. Harakeh, S. Waslander, In Defense of Classical Image Processing, 2018; with the Gaussian blur."""
    turned = _ip_basic(given.depth_m)
    blurred = cv2.GaussianBlur(turned, (5, 5), 0)
    return _turned_back(np.where(turned > 0, blurred, 0))


def ip_basic_bilateral(given: SparseDepth) -> Float32:
    """The same with the bilateral filter, which is better at outlines."""
    return _turned_back(cv2.bilateralFilter(_ip_basic(given.depth_m), 5, 1.5, 2.0))


def ip_basic_measured_kept(given: SparseDepth) -> Float32:
    """The same, but measured pixels stay as they are."""
    return np.where(given.depth_m > 0, given.depth_m, ip_basic_bilateral(given))


def _ip_basic(depth_m: Float32) -> Float32:
    """Turned around, and all steps but the last."""
    turned = np.where(depth_m > 0, TOP_M - depth_m, 0).astype(np.float32)
    turned = cv2.dilate(turned, _diamond(2))
    turned = cv2.morphologyEx(turned, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    turned = _filled(turned, 7)
    turned = _filled(_to_the_top(turned), 31)
    return np.where(turned > 0, cv2.medianBlur(turned, 5), 0)


def _diamond(radius: int) -> NDArray[np.uint8]:
    away = np.abs(np.arange(-radius, radius + 1))
    return (away[:, None] + away[None] <= radius).astype(np.uint8)


def _filled(turned: Float32, size: int) -> Float32:
    """Empty pixels take the nearest depth within a square."""
    return np.where(turned > 0, turned, cv2.dilate(turned, np.ones((size, size), np.uint8)))


def _to_the_top(turned: Float32) -> Float32:
    """In every column the uppermost value goes on to the upper border."""
    top = (turned > 0).argmax(axis=0)
    above = np.arange(len(turned))[:, None] < top
    return np.where(above, turned[top, np.arange(turned.shape[1])], turned)


def _turned_back(turned: Float32) -> Float32:
    return np.where(turned > 0, TOP_M - turned, 0).astype(np.float32)
