"""What others do to complete depth, written from their descriptions: nearest neighbour, straight lines, IP-Basic."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import LinearNDInterpolator

from densegt.completion import ip_basic
from densegt.completion.method import SparseDepth

Float32 = NDArray[np.float32]


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
    """IP-Basic with the Gaussian blur."""
    return ip_basic.gaussian(given.depth_m)


def ip_basic_bilateral(given: SparseDepth) -> Float32:
    """The same with the bilateral filter, which is better at outlines."""
    return ip_basic.bilateral(given.depth_m)


def ip_basic_measured_kept(given: SparseDepth) -> Float32:
    """The same, but measured pixels stay as they are."""
    return np.where(given.depth_m > 0, given.depth_m, ip_basic_bilateral(given))
