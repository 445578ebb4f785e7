"""IP-Basic, written from its description: dilation lets near depth win, closing and blurring do the rest.

J. Ku, A. Harakeh, S. Waslander, In Defense of Classical Image Processing: Fast Depth Completion on the CPU, 2018.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from densegt.completion.method import CompletedDepth, SparseDepth, measured

Float32 = NDArray[np.float32]
# Depth is turned around at this, so that dilation lets the nearer win.
TOP_M = np.float32(256)


def ip_basic(given: SparseDepth) -> CompletedDepth:
    """The method, with the bilateral filter, which is better at outlines; it says nothing of its error."""
    depth_m = bilateral(given.depth_m)
    return CompletedDepth(depth_m, np.zeros_like(depth_m))


def gaussian(depth_m: Float32) -> Float32:
    """Completed depth (H,W), blurred by a Gaussian at the end; 0 where nothing is near."""
    turned = _filled_image(depth_m)
    blurred = cv2.GaussianBlur(turned, (5, 5), 0)
    return _turned_back(np.where(turned > 0, blurred, 0))


def bilateral(depth_m: Float32) -> Float32:
    """Completed depth (H,W), smoothed by a bilateral filter at the end; 0 where nothing is near."""
    return _turned_back(np.asarray(cv2.bilateralFilter(_filled_image(depth_m), 5, 1.5, 2.0), np.float32))


def _filled_image(depth_m: Float32) -> Float32:
    """Turned around, and all steps but the last."""
    turned = np.where(measured(depth_m), TOP_M - depth_m, 0).astype(np.float32)
    turned = np.asarray(cv2.dilate(turned, _diamond(2)), np.float32)
    turned = np.asarray(cv2.morphologyEx(turned, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)), np.float32)
    turned = _filled(turned, 7)
    turned = _filled(_to_the_top(turned), 31)
    return np.where(turned > 0, cv2.medianBlur(turned, 5), 0).astype(np.float32)


def _diamond(radius: int) -> NDArray[np.uint8]:
    away = np.abs(np.arange(-radius, radius + 1))
    return np.asarray(away[:, None] + away[None] <= radius, np.uint8)


def _filled(turned: Float32, size: int) -> Float32:
    """Empty pixels take the nearest depth within a square."""
    around = np.asarray(cv2.dilate(turned, np.ones((size, size), np.uint8)), np.float32)
    return np.where(turned > 0, turned, around)


def _to_the_top(turned: Float32) -> Float32:
    """In every column the uppermost value goes on to the upper border."""
    top = (turned > 0).argmax(axis=0)
    above = np.arange(len(turned))[:, None] < top
    return np.where(above, turned[top, np.arange(turned.shape[1])], turned)


def _turned_back(turned: Float32) -> Float32:
    return np.where(turned > 0, TOP_M - turned, 0).astype(np.float32)
