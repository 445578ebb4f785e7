"""The view of an object: a level camera that looks at it, so that neither lens nor mount matters to a network.

Its frame has its origin in the camera, x level and towards the object, y left, z up. A direction in it is told by its
tangents a = y / x and b = z / x.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from densegt.datasets.scene import Camera
from densegt.geometry import se3

Float64 = NDArray[np.float64]
# Of the box's half extent that a crop shows.
MARGIN = 1.15
MOST_SAMPLES = 6


@dataclass(frozen=True)
class View:
    """One camera's view of one box.

    Attributes:
        K: (3,3); T_ref_view: (4,4); R_view_cam: (3,3).
        box_ab: (4,) tangents of the box: right (least a), left (greatest a), bottom, top.
        pixel: tangent of one pixel.
    """

    K: Float64
    T_ref_view: Float64
    R_view_cam: Float64
    box_ab: Float64
    pixel: float

    @classmethod
    def of(cls, camera: Camera, T_ref_cam: Float64, box_px: Float64) -> View:
        """Towards the middle of a box (4,) px: left, top, right, bottom."""
        return cls.through(camera.K, T_ref_cam, box_px)

    @classmethod
    def through(cls, K: Float64, T_ref_cam: Float64, box_px: Float64) -> View:
        """As `of`, of a lens."""
        left, top, right, bottom = box_px
        middle_u, middle_v = (left + right) / 2, (top + bottom) / 2
        inverse_K = np.linalg.inv(K)
        ahead = T_ref_cam[:3, :3] @ inverse_K @ np.array([middle_u, middle_v, 1.0])
        T_ref_view = se3.from_yaw(float(np.arctan2(ahead[1], ahead[0])), T_ref_cam[:3, 3])
        R_view_cam: Float64 = T_ref_view[:3, :3].T @ T_ref_cam[:3, :3]
        sides = [(right, middle_v), (left, middle_v), (middle_u, bottom), (middle_u, top)]
        d = np.array([R_view_cam @ inverse_K @ np.array([u, v, 1.0]) for u, v in sides])
        ab = d[:, 1:] / np.maximum(d[:, :1], 1e-3)
        box_ab = np.array([ab[0, 0], ab[1, 0], ab[2, 1], ab[3, 1]])
        return cls(K, T_ref_view, R_view_cam, box_ab, float((box_ab[3] - box_ab[2]) / (bottom - top)))

    def points(self, uv: Float64, depth_m: Float64) -> Float64:
        """(N,3) m of pixels (N,2) of known z-depth (N,)."""
        return self.directions(uv) * depth_m[:, None]

    def directions(self, uv: Float64) -> Float64:
        """(N,3) through pixels (N,2), as long as their z-depth is one."""
        homogeneous = np.column_stack([uv, np.ones(len(uv))])
        return np.asarray(homogeneous @ (self.R_view_cam @ np.linalg.inv(self.K)).T, np.float64)

    def crop(self, image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
        """(size,size,3) of an image (H,W,3): the box with a margin, black beyond the image."""
        right, left, bottom, top = self.box_ab
        half_a, half_b = MARGIN * (left - right) / 2, MARGIN * (top - bottom) / 2
        middle_a, middle_b = (left + right) / 2, (top + bottom) / 2
        wide = (left - right) / max(self.pixel, 1e-9) * MARGIN
        # Of a crop that is smaller than the box each pixel is the mean of several samples.
        samples = int(np.clip(np.ceil(wide / size), 1, MOST_SAMPLES))
        n = size * samples
        step_a, step_b = 2 * half_a / n, 2 * half_b / n
        # Column and row of the crop to (1, a, b).
        A = np.array(
            [[0, 0, 1], [-step_a, 0, middle_a + half_a - step_a / 2], [0, -step_b, middle_b + half_b - step_b / 2]]
        )
        to_px = self.K @ self.R_view_cam.T @ A
        fine = cv2.warpPerspective(image, to_px, (n, n), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        if samples == 1:
            return np.asarray(fine, np.uint8)
        return np.asarray(cv2.resize(fine, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
