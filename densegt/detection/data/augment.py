"""Augmentation as matrices: of the image, folded into K, and of the ground plane, folded into T_ref_cam and boxes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Range = tuple[float, float]


@dataclass(frozen=True)
class ImageRanges:
    """What images may undergo; the middle of each range is what happens where nothing is drawn.

    Attributes:
        scale: of the smallest picture that fills the network's input.
        bottom: share of the scaled picture's height that is cut off below.
        turn_deg: about the input's middle.
        flip: probability of being mirrored.
        shift: cut out anywhere along a row, else in the middle.
    """

    scale: Range = (1.0, 1.0)
    bottom: Range = (0.0, 0.0)
    turn_deg: Range = (0.0, 0.0)
    flip: float = 0.0
    shift: bool = False


@dataclass(frozen=True)
class BevRanges:
    """What the ground plane may undergo: a turn about z, a scale, and being mirrored in x and in y."""

    turn_deg: Range = (0.0, 0.0)
    scale: Range = (1.0, 1.0)
    flip_x: float = 0.0
    flip_y: float = 0.0


@dataclass(frozen=True)
class Augmentation:
    """Both."""

    image: ImageRanges = ImageRanges()
    bev: BevRanges = BevRanges()


def image_affine(
    size_px: tuple[int, int], to_px: tuple[int, int], ranges: ImageRanges, rng: np.random.Generator | None
) -> Float64:
    """A (3,3) that takes pixels (u, v, 1) of a picture to those of the network's input; the new K is A @ K.

    Pixel centres are integers, so a scale s takes u to s (u + 0.5) - 0.5.

    Args:
        size_px, to_px: (height, width).
        rng: None draws nothing.
    """
    (height, width), (h, w) = size_px, to_px
    scaled = np.rint(np.multiply(size_px, max(h / height, w / width) * _drawn(ranges.scale, rng)))
    sy, sx = scaled / size_px
    room = scaled[1] - w
    left = np.floor(room * (rng.random() if rng is not None and ranges.shift else 0.5))
    top = np.floor((1 - _drawn(ranges.bottom, rng)) * scaled[0]) - h
    A = np.array([[sx, 0, sx / 2 - 0.5 - left], [0, sy, sy / 2 - 0.5 - top], [0, 0, 1]])
    if rng is not None and rng.random() < ranges.flip:
        A = np.array([[-1, 0, w - 1], [0, 1, 0], [0, 0, 1]], dtype=np.float64) @ A
    turn = np.deg2rad(_drawn(ranges.turn_deg, rng))
    c, s = np.cos(turn), np.sin(turn)
    u, v = (w - 1) / 2, (h - 1) / 2
    turned: Float64 = np.array([[c, -s, u - c * u + s * v], [s, c, v - s * u - c * v], [0, 0, 1]]) @ A
    return turned


def bev_affine(ranges: BevRanges, rng: np.random.Generator | None) -> Float64:
    """A (4,4) that takes points of the ref frame to the augmented one; a mirror makes its determinant negative."""
    if rng is None:
        return np.eye(4)
    turn, scale = np.deg2rad(_drawn(ranges.turn_deg, rng)), _drawn(ranges.scale, rng)
    mirror = np.where(rng.random(2) < (ranges.flip_x, ranges.flip_y), -1.0, 1.0)
    A = np.eye(4)
    c, s = np.cos(turn), np.sin(turn)
    A[:2, :2] = np.array([[c, -s], [s, c]]) * mirror
    A[:3, :3] *= scale
    return A


def boxes_under(A: Float64, boxes: Float64) -> Float64:
    """Boxes (N,9) x, y, z, l, w, h in m, yaw in rad, vx, vy in m/s after `bev_affine`'s matrix."""
    moved = boxes.copy()
    scale = abs(np.linalg.det(A[:3, :3])) ** (1 / 3)
    moved[:, :3] = boxes[:, :3] @ A[:3, :3].T + A[:3, 3]
    moved[:, 3:6] *= scale
    ahead = np.stack([np.cos(boxes[:, 6]), np.sin(boxes[:, 6])], 1) @ A[:2, :2].T
    moved[:, 6] = np.arctan2(ahead[:, 1], ahead[:, 0])
    moved[:, 7:] = boxes[:, 7:] @ A[:2, :2].T
    return moved


def _drawn(between: Range, rng: np.random.Generator | None) -> float:
    low, high = between
    return (low + high) / 2 if rng is None else float(rng.uniform(low, high))
