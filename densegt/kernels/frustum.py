"""Frustum culling of points, and surfels transformed into the camera frame."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Points that are culled together.
BLOCK_ROWS = 256


class Pinhole(NamedTuple):
    """A pinhole camera without skew or distortion.

    Attributes:
        K: (3,3) float64 px.
    """

    K: NDArray[np.float64]
    width_px: int
    height_px: int


@njit(cache=True, nogil=True)
def _within(xyz: NDArray[np.float32], inside: NDArray[np.float32], out: NDArray[np.uint8]) -> None:
    """Write 1 where all six n.p + d > 0 for the rows (n, d) of `inside` (6,4), else 0."""
    a0, a1, a2, a3 = inside[0, 0], inside[0, 1], inside[0, 2], inside[0, 3]
    b0, b1, b2, b3 = inside[1, 0], inside[1, 1], inside[1, 2], inside[1, 3]
    c0, c1, c2, c3 = inside[2, 0], inside[2, 1], inside[2, 2], inside[2, 3]
    d0, d1, d2, d3 = inside[3, 0], inside[3, 1], inside[3, 2], inside[3, 3]
    e0, e1, e2, e3 = inside[4, 0], inside[4, 1], inside[4, 2], inside[4, 3]
    f0, f1, f2, f3 = inside[5, 0], inside[5, 1], inside[5, 2], inside[5, 3]
    # Through one index: with two the compiler makes no vectors.
    flat = xyz.reshape(-1)
    for i in range(len(out)):
        x, y, z = flat[3 * i], flat[3 * i + 1], flat[3 * i + 2]
        left_right = (a0 * x + a1 * y + a2 * z + a3 > 0) & (b0 * x + b1 * y + b2 * z + b3 > 0)
        up_down = (c0 * x + c1 * y + c2 * z + c3 > 0) & (d0 * x + d1 * y + d2 * z + d3 > 0)
        out[i] = left_right & up_down & (e0 * x + e1 * y + e2 * z + e3 > 0) & (f0 * x + f1 * y + f2 * z + f3 > 0)


@njit(cache=True, nogil=True)
def _planes(
    T_cam_src: NDArray[np.float64], camera: Pinhole, margin_px: float, min_depth_m: float, max_depth_m: float
) -> NDArray[np.float32]:
    """The six planes (n, d) (6,4) of the frustum in src: n.p + d > 0 inside."""
    K, width_px, height_px = camera
    inside = np.empty((6, 4), dtype=np.float32)
    for k in range(4):
        x, y, z = T_cam_src[0, k], T_cam_src[1, k], T_cam_src[2, k]
        u, v = K[0, 0] * x + K[0, 1] * y + K[0, 2] * z, K[1, 1] * y + K[1, 2] * z
        inside[0, k], inside[1, k] = u + margin_px * z, (width_px + margin_px) * z - u
        inside[2, k], inside[3, k] = v + margin_px * z, (height_px + margin_px) * z - v
        inside[4, k] = z - (min_depth_m if k == 3 else 0.0)
        inside[5, k] = (max_depth_m if k == 3 else 0.0) - z
    return inside


@njit(cache=True, nogil=True)
def select_in_frustum(
    xyz: NDArray[np.float32],
    T_cam_src: NDArray[np.float64],
    camera: Pinhole,
    margin_px: float,
    min_depth_m: float,
    max_depth_m: float,
    out: NDArray[np.int32],
) -> int:
    """Write to `out` (N,) the rows of points (N,3) that project into the image widened by `margin_px`; the count.

    The margin keeps surfels that reach into the image from outside.
    """
    seen = np.empty(len(xyz), dtype=np.uint8)
    _within(xyz, _planes(T_cam_src, camera, margin_px, min_depth_m, max_depth_m), seen)
    count = 0
    for i in range(len(xyz)):
        out[count] = i
        count += seen[i]
    return count


@njit(cache=True, nogil=True)
def block_bounds(xyz: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    """Write to `out` (B,2,3) the least and the greatest coordinates of each `BLOCK_ROWS` points (N,3), in order."""
    for block in range(len(out)):
        for axis in range(3):
            least, most = np.float32(np.inf), np.float32(-np.inf)
            for i in range(block * BLOCK_ROWS, min(block * BLOCK_ROWS + BLOCK_ROWS, len(xyz))):
                # So that NaN counts neither way.
                value = xyz[i, axis]
                least, most = value if value < least else least, value if value > most else most
            out[block, 0, axis], out[block, 1, axis] = least, most


@njit(cache=True, nogil=True, inline="always")
def _outside(bounds: NDArray[np.float32], inside: NDArray[np.float32]) -> bool:
    """Whether a block (2,3) surely lies outside one of the planes (6,4), rounding included."""
    for k in range(6):
        most, size = float(inside[k, 3]), abs(float(inside[k, 3]))
        for axis in range(3):
            a, b = float(inside[k, axis]) * bounds[0, axis], float(inside[k, axis]) * bounds[1, axis]
            most += max(a, b)
            size += max(abs(a), abs(b))
        if most < -1e-5 * size:
            return True
    return False


@njit(cache=True, nogil=True)
def select_blocks_in_frustum(
    xyz: NDArray[np.float32],
    bounds: NDArray[np.float32],
    T_cam_src: NDArray[np.float64],
    camera: Pinhole,
    margin_px: float,
    min_depth_m: float,
    max_depth_m: float,
    out: NDArray[np.int32],
) -> int:
    """The same as `select_in_frustum`; blocks of points that lie outside are passed over.

    A sweep's points are in order of time, so a block is a narrow sector of a turn, and most are outside.

    Args:
        bounds: (B,2,3), see `block_bounds`.
    """
    inside = _planes(T_cam_src, camera, margin_px, min_depth_m, max_depth_m)
    seen = np.empty(BLOCK_ROWS, dtype=np.uint8)
    count = 0
    for block in range(len(bounds)):
        if _outside(bounds[block], inside):
            continue
        begin = block * BLOCK_ROWS
        end = min(begin + BLOCK_ROWS, len(xyz))
        _within(xyz[begin:end], inside, seen[: end - begin])
        for i in range(begin, end):
            out[count] = i
            count += seen[i - begin]
    return count


@njit(cache=True, nogil=True)
def move_surfels(
    xyz: NDArray[np.float32],
    tangents: NDArray[np.float32],
    rows: NDArray[np.int32],
    T_dst_src: NDArray[np.float64],
    xyz_dst: NDArray[np.float32],
    tangents_dst: NDArray[np.float32],
) -> None:
    """Fill positions (M,3) m and tangents (M,2,3) in dst of the surfels `rows` (M,), given in src."""
    R = T_dst_src.astype(np.float32)
    for m in range(len(rows)):
        i = rows[m]
        for k in range(3):
            xyz_dst[m, k] = (
                T_dst_src[k, 0] * xyz[i, 0]
                + T_dst_src[k, 1] * xyz[i, 1]
                + T_dst_src[k, 2] * xyz[i, 2]
                + T_dst_src[k, 3]
            )
            for t in range(2):
                tangents_dst[m, t, k] = (
                    R[k, 0] * tangents[i, t, 0] + R[k, 1] * tangents[i, t, 1] + R[k, 2] * tangents[i, t, 2]
                )


@njit(cache=True, nogil=True, error_model="numpy")
def viewing_geometry(
    xyz_cam: NDArray[np.float32],
    tangents: NDArray[np.float32],
    sweep: NDArray[np.int32],
    lidar_cam: NDArray[np.float32],
    focal_px: float,
    noise_m: float,
    trust: NDArray[np.float32],
    incidence: NDArray[np.float32],
) -> None:
    """Write trust and absolute cosine of incidence (N,) of each surfel seen from the camera.

    Range noise acts along the beam: seen at an angle t from the beam it shifts a point by s = noise sin(t) f / z
    pixels, which frays outlines. Trust is 1 / (1 + s^2). Incidence is between the surfel's normal and the camera's ray.

    Args:
        xyz_cam: (N,3) m; tangents: (N,2,3) unit vectors in cam; sweep: (N,) index.
        lidar_cam: (S,3) m, position of the lidar in each sweep.
        noise_m: standard deviation of range.
    """
    sideways = np.float32(noise_m * focal_px) ** 2
    one = np.float32(1)
    for i in range(len(xyz_cam)):
        x, y, z = xyz_cam[i, 0], xyz_cam[i, 1], xyz_cam[i, 2]
        o = lidar_cam[sweep[i]]
        bx, by, bz = x - o[0], y - o[1], z - o[2]
        cx, cy, cz = by * z - bz * y, bz * x - bx * z, bx * y - by * x
        squared = x * x + y * y + z * z
        sine_squared = (cx * cx + cy * cy + cz * cz) / ((bx * bx + by * by + bz * bz) * squared + np.float32(1e-12))
        trust[i] = one / (one + sideways * sine_squared / (z * z))
        a, e = tangents[i, 0], tangents[i, 1]
        nx, ny, nz = a[1] * e[2] - a[2] * e[1], a[2] * e[0] - a[0] * e[2], a[0] * e[1] - a[1] * e[0]
        length = np.sqrt((nx * nx + ny * ny + nz * nz) * squared)
        incidence[i] = abs(nx * x + ny * y + nz * z) / max(length, np.float32(1e-9))
