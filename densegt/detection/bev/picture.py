"""One picture a keyframe: its images, the depth the network gives them, and the ground plane."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from densegt.detection.bev.grid import BevGrid
from densegt.detection.bev.prediction import LssPrediction

Picture = NDArray[np.uint8]
# Boxes less likely than this are not drawn.
SHOWN = 0.3
FAR_M = 60.0
MEANT, SAID, OUTLINE = (70, 200, 90), (255, 90, 60), (240, 240, 240)


def draw(said: LssPrediction, grid: BevGrid) -> Picture:
    """(H,W,3) red green blue: left each view above its depth (blue near, red far), right the ground plane, ahead up.

    On the ground plane: probability of a vehicle in grey, labelled boxes green, found ones orange, ego in the middle.
    """
    views = [np.vstack([image, _coloured(depth_m)]) for image, depth_m in zip(said.images, said.depth_m, strict=True)]
    columns = 3 if len(views) > 3 else 1
    empty = np.zeros_like(views[0])
    views += [empty] * (-len(views) % columns)
    left = np.vstack([np.hstack(views[i : i + columns]) for i in range(0, len(views), columns)])
    right = ground(said, grid, left.shape[0])
    return np.asarray(np.hstack([left, right]), dtype=np.uint8)


def ground(said: LssPrediction, grid: BevGrid, side_px: int) -> Picture:
    """The ground plane (side,side,3); x is up, y is left."""
    turned = said.vehicles.T[::-1, ::-1]
    grey = cv2.resize(np.ascontiguousarray(turned), (side_px, side_px), interpolation=cv2.INTER_NEAREST)
    picture = np.repeat((180 * np.clip(grey, 0, 1)).astype(np.uint8)[..., None], 3, -1)
    ego = np.array([[0.0, 0, 0, 4.0, 1.8, 1.5, 0, 0, 0]])
    likely = said.found.boxes[said.found.scores >= SHOWN]
    for boxes, colour in ((said.labels, MEANT), (likely, SAID), (ego, OUTLINE)):
        for box in boxes:
            _outline(picture, np.asarray(box, np.float64), grid, colour)
    return picture


def _outline(picture: Picture, box: NDArray[np.float64], grid: BevGrid, colour: tuple[int, int, int]) -> None:
    """A box's footprint and a stroke to its front."""
    x, y, _, length, width, _, yaw, _, _ = box
    ahead, aside = (np.array([np.cos(a), np.sin(a)]) for a in (yaw, yaw + np.pi / 2))
    front, side = ahead * length / 2, aside * width / 2
    middle = np.array([x, y])
    outline = [middle + front + side, middle + front - side, middle - front - side, middle - front + side]
    side_px = picture.shape[0]
    for points, closed in ((outline, True), ([middle, middle + front], False)):
        xy = np.array(points)
        u = (grid.y_max_m - xy[:, 1]) / (grid.y_max_m - grid.y_min_m) * side_px
        v = (grid.x_max_m - xy[:, 0]) / (grid.x_max_m - grid.x_min_m) * side_px
        cv2.polylines(picture, [np.rint(np.stack([u, v], 1)).astype(np.int32)], closed, colour, 1, cv2.LINE_AA)


def _coloured(depth_m: NDArray[np.float32]) -> Picture:
    steps = (255 * np.clip(depth_m / FAR_M, 0, 1)).astype(np.uint8)
    coloured = cv2.applyColorMap(steps, cv2.COLORMAP_TURBO)[..., ::-1]
    return np.asarray(np.where((depth_m > 0)[..., None], coloured, 0), dtype=np.uint8)
