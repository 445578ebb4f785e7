"""What an image says of one object's shape and place: depth on it, and which rays meet it."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from densegt.detection.data.depth_layers import DepthLayers
from densegt.detection.mono.objects_2d import Object2d
from densegt.detection.mono.view import View

Float32 = NDArray[np.float32]
Bool = NDArray[np.bool_]

# Of what is kept of an object; each training step draws some of it anew.
POINTS, RAYS = 128, 96
# Depth that differs more than this from the object's middle depth is of something else.
FAR_OFF_M = 4.0
# What is nearer than the object by this may hide it.
NEARER_M = 1.5
# Rays reach this far beyond a box, of its size.
AROUND = 0.2


class Evidence(NamedTuple):
    """In a view, padded: points (P,3) m with weights (P,), rays (R,3) with inside (R,) 0 or 1 and weights (R,)."""

    points: Float32
    point_weight: Float32
    rays: Float32
    inside: Float32
    ray_weight: Float32


class Window(NamedTuple):
    """Rows and columns of an image around an object, and what is known there (h,w).

    Attributes:
        mine: pixels of the object, None where nobody says; others: those of other objects.
    """

    rows: slice
    columns: slice
    mine: Bool | None
    others: Bool

    def uv(self, chosen: Bool) -> NDArray[np.float64]:
        """(N,2) px of chosen pixels (h,w)."""
        row, column = np.nonzero(chosen)
        return np.column_stack([column + self.columns.start, row + self.rows.start]).astype(np.float64)


def gather(
    thing: Object2d, others: list[Object2d], view: View, layers: DepthLayers, rng: np.random.Generator
) -> Evidence:
    """Depth and rays of an object.

    Args:
        others: all objects of the image, this one among them.
        layers: of the image; depth 0 where it is not known, or not to be learned from.
    """
    window = window_of(thing, others, layers.depth_m.shape)
    depth_m = layers.depth_m[window.rows, window.columns]
    confidence = layers.confidence[window.rows, window.columns]
    on = object_pixels(thing, window) & (depth_m > 0)
    middle_m = float(np.median(depth_m[on])) if on.any() else np.nan
    on &= np.abs(depth_m - np.nan_to_num(middle_m)) <= FAR_OFF_M
    points, weight = _points(view, window, on, depth_m, confidence, rng)
    unknown = window.others & ~((depth_m > middle_m) & (depth_m > 0))
    unknown |= (depth_m > 0) & (depth_m < middle_m - NEARER_M)
    rays, inside, ray_weight = _rays(thing, view, window, unknown, rng)
    return Evidence(points, weight, rays, inside, ray_weight)


def window_of(thing: Object2d, others: list[Object2d], shape: tuple[int, ...]) -> Window:
    """The box of an object with what is around it, inside an image (H,W)."""
    left, top, right, bottom = thing.box_px
    wide, high = max(2.0, AROUND * (right - left)), max(2.0, AROUND * (bottom - top))
    rows = slice(max(0, int(top - high)), min(shape[0], int(bottom + high) + 1))
    columns = slice(max(0, int(left - wide)), min(shape[1], int(right + wide) + 1))
    taken = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.bool_)
    for other in others:
        if other is not thing and other.mask is not None:
            taken |= other.mask[rows, columns]
    mine = None if thing.mask is None else thing.mask[rows, columns]
    return Window(rows, columns, mine, taken)


def object_pixels(thing: Object2d, window: Window) -> Bool:
    """(h,w) that surely show the object: the mask without its border, or the middle of the box."""
    if window.mine is not None:
        kernel = np.ones((3, 3), np.uint8)
        inner = cv2.erode(window.mine.astype(np.uint8), kernel, borderType=cv2.BORDER_REPLICATE).astype(np.bool_)
        return inner if inner.any() else window.mine
    left, top, right, bottom = thing.box_px
    v, u = np.mgrid[window.rows, window.columns]
    across, along = np.abs(u - (left + right) / 2), np.abs(v - (top + bottom) / 2)
    out: Bool = (across < 0.25 * (right - left)) & (along < 0.3 * (bottom - top)) & ~window.others
    return out


def _points(
    view: View, window: Window, on: Bool, depth_m: Float32, confidence: Float32, rng: np.random.Generator
) -> tuple[Float32, Float32]:
    points, weight = np.zeros((POINTS, 3), np.float32), np.zeros(POINTS, np.float32)
    uv, z_m, sure = window.uv(on), depth_m[on].astype(np.float64), confidence[on]
    chosen = rng.permutation(len(uv))[:POINTS]
    points[: len(chosen)] = view.points(uv[chosen], z_m[chosen])
    weight[: len(chosen)] = sure[chosen]
    return points, weight


def _rays(
    thing: Object2d, view: View, window: Window, unknown: Bool, rng: np.random.Generator
) -> tuple[Float32, Float32, Float32]:
    """A quarter each well inside, inside beside the border, outside beside it, and well outside."""
    mine = window.mine
    if mine is None:
        left, top, right, bottom = thing.box_px
        v, u = np.mgrid[window.rows, window.columns]
        within = (u > left) & (u < right) & (v > top) & (v < bottom)
        # In the box any pixel may be the object's or not.
        groups = [~within & ~unknown]
    else:
        kernel = np.ones((3, 3), np.uint8)
        inner = cv2.erode(mine.astype(np.uint8), kernel, iterations=2).astype(np.bool_)
        outer = cv2.dilate(mine.astype(np.uint8), kernel, iterations=2).astype(np.bool_)
        free = ~mine & ~unknown
        groups = [inner, mine & ~inner, free & outer, free & ~outer]
    rays, inside, weight = np.zeros((RAYS, 3), np.float32), np.zeros(RAYS, np.float32), np.zeros(RAYS, np.float32)
    rays[:, 0] = 1
    each, start = RAYS // len(groups), 0
    for group in groups:
        uv = window.uv(group)
        uv = uv[rng.permutation(len(uv))[:each]]
        directions = view.directions(uv)
        end = start + len(uv)
        rays[start:end] = directions / np.linalg.norm(directions, axis=1, keepdims=True)
        column, row = (uv - [window.columns.start, window.rows.start]).astype(np.int64).T
        inside[start:end] = 0 if mine is None else mine[row, column]
        weight[start:end] = 1
        start = end
    return rays, inside, weight
