"""Lens distortion as OpenCV models it, and images freed of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.geometry import camera

Float64 = NDArray[np.float64]
# How many coefficients each model may have: k1 k2 p1 p2 [k3 [k4 k5 k6]], and k1 k2 k3 k4 of OpenCV's fisheye.
COEFFICIENTS = {"opencv": (4, 5, 8), "fisheye": (4,)}
# Less of an image that can be undistorted: the coefficients are of another lens, or in another order.
MIN_SHARE = 0.5


@dataclass(frozen=True)
class Distortion:
    """A lens's distortion about its own focal lengths and centre.

    Attributes:
        model: a key of `COEFFICIENTS`.
        coefficients: in OpenCV's order.
        fx_px, fy_px, cx_px, cy_px: intrinsics, of the image as taken and of the undistorted one alike.
    """

    model: str
    coefficients: tuple[float, ...]
    fx_px: float
    fy_px: float
    cx_px: float
    cy_px: float

    def __post_init__(self) -> None:
        if self.model not in COEFFICIENTS:
            raise ValueError(f"distortion model {self.model!r} is none of {', '.join(COEFFICIENTS)}")
        counts, values = COEFFICIENTS[self.model], self.coefficients
        if len(values) not in counts or not np.isfinite(values).all():
            numbers = " or ".join(map(str, counts))
            raise ValueError(f"distortion of model {self.model} has {numbers} finite coefficients, not {list(values)}")

    @classmethod
    def about(cls, K: Float64, model: str, coefficients: tuple[float, ...]) -> Distortion:
        """With the intrinsics of K (3,3).

        Raises:
            ValueError: there is no such model, it has another number of coefficients, or K has skew.
        """
        if K[0, 1] != 0:
            raise ValueError(f"K has skew {K[0, 1]:g} px, which OpenCV's distortion does not know")
        return cls(model, coefficients, *(float(K[at]) for at in ((0, 0), (1, 1), (0, 2), (1, 2))))

    def as_json(self) -> str:
        """Model and coefficients, as a depth store keeps them beside K."""
        return json.dumps({"model": self.model, "coefficients": self.coefficients})

    @property
    def K(self) -> Float64:
        """(3,3) px."""
        return np.array([[self.fx_px, 0, self.cx_px], [0, self.fy_px, self.cy_px], [0, 0, 1]])

    def check(self, width_px: int, height_px: int) -> None:
        """Refuse coefficients that cannot be of images of this size.

        Raises:
            ValueError: they leave less than half of the image.
        """
        _sources(self, width_px, height_px)

    def distort(self, xy: Float64) -> Float64:
        """Pixels (N,2) of the image as taken, of points (N,2) m on the plane z = 1 in cam."""
        r = np.linalg.norm(xy, axis=1)
        bent = xy * (self._bent_radius(r) / np.where(r > 0, r, 1))[:, None]
        if self.model == "opencv":
            p1, p2 = self.coefficients[2:4]
            x, y = xy.T
            bent += np.stack([2 * p1 * x * y + p2 * (r**2 + 2 * x**2), p1 * (r**2 + 2 * y**2) + 2 * p2 * x * y], axis=1)
        uv: Float64 = bent * [self.fx_px, self.fy_px] + [self.cx_px, self.cy_px]
        return uv

    def largest_radius(self, most: float) -> float:
        """Up to here, at most `most`, what lies farther out on the plane z = 1 is also seen farther out."""
        r = np.linspace(0, most, 2001)
        falls = np.flatnonzero(np.diff(self._bent_radius(r)) <= 0)
        return float(r[falls[0]]) if len(falls) else most

    def _bent_radius(self, r: Float64) -> Float64:
        """The radial part alone, (N,) to (N,)."""
        if self.model == "fisheye":
            angle = np.arctan(r)
            return np.asarray(angle * np.polyval([*self.coefficients[::-1], 1.0], angle**2), np.float64)
        k1, k2, _, _, k3, k4, k5, k6 = (*self.coefficients, *[0.0] * (8 - len(self.coefficients)))
        over, under = np.polyval([k3, k2, k1, 1.0], r**2), np.polyval([k6, k5, k4, 1.0], r**2)
        return np.asarray(r * over / under, np.float64)


def undistort(image: NDArray[np.uint8], distortion: Distortion) -> NDArray[np.uint8]:
    """The image (H,W) or (H,W,C) as a pinhole camera of the same K and size sees it; black where the lens sees nothing.

    Raises:
        ValueError: the coefficients leave less than half of the image.
    """
    import cv2

    height_px, width_px = image.shape[:2]
    u, v = _sources(distortion, width_px, height_px)
    return np.asarray(cv2.remap(image, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT), np.uint8)


@lru_cache(maxsize=8)
def _sources(distortion: Distortion, width_px: int, height_px: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Column and row (H,W) px in the image as taken of each pixel; far outside where the lens folds."""
    rays = camera.rays(distortion.K, width_px, height_px)[..., :2].reshape(-1, 2)
    r = np.linalg.norm(rays, axis=1)
    folded = r > distortion.largest_radius(float(r.max()))
    uv = np.where(folded[:, None], -1e4, distortion.distort(rays)).astype(np.float32)
    inside = (uv > -1).all(axis=1) & (uv < [width_px, height_px]).all(axis=1)
    if inside.mean() < MIN_SHARE:
        raise ValueError(
            f"distortion {list(distortion.coefficients)} leaves {inside.mean():.0%} of a {width_px}x{height_px} image; "
            f"are the coefficients in OpenCV's order, and of this K?"
        )
    return uv[:, 0].reshape(height_px, width_px), uv[:, 1].reshape(height_px, width_px)
