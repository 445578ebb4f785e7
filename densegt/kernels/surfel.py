"""Surfels in an image: inverse depth and surfel coordinates as linear functions of the pixel."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from densegt.kernels.frustum import Pinhole

# Columns of the planes that `project_surfels` writes.
INVERSE, ALONG, ACROSS, PER_REACH, SCALE, COLUMNS = 0, 3, 6, 9, 13, 14
# In place of one over a reach of zero.
NO_REACH = np.float32(1e30)


class SurfelGeometry(NamedTuple):
    """Position, orientation and extent of surfels.

    Attributes:
        xyz_cam: (N,3) float32 m.
        tangents: (N,2,3) float32, unit vectors A, E in cam.
        half_m: (N,4) float32, reach along +A, -A, +E, -E.
    """

    xyz_cam: NDArray[np.float32]
    tangents: NDArray[np.float32]
    half_m: NDArray[np.float32]


class ProjectedSurfels(NamedTuple):
    """The M surfels that cover pixels.

    Attributes:
        planes: (M,14) float32: w, w a and w e (w inverse depth in 1/m; a, e surfel coordinates in m), each as its value
            at the first row and column and its change by a column and by a row; one over each reach; trust per area.
        bounds: (M,4) int32, first and last row, first and last column.
        rows: (M,) int32, index of the surfel.
    """

    planes: NDArray[np.float32]
    bounds: NDArray[np.int32]
    rows: NDArray[np.int32]


@njit(cache=True, nogil=True, inline="always")
def surfel_bounds(
    p: NDArray[np.float32],
    tangents: NDArray[np.float32],
    half_m: NDArray[np.float32],
    reach_px: float,
    camera: Pinhole,
) -> tuple[int, int, int, int]:
    """First and last row, first and last column of a surfel's bounding box in the image; last < first if empty."""
    K, width_px, height_px = camera
    fx, fy, cx, cy = K[0, 0], K[1, 1], K[0, 2], K[1, 2]
    per_z = 1.0 / float(p[2])
    u0, v0 = fx * p[0] * per_z + cx, fy * p[1] * per_z + cy
    u_lo, u_hi, v_lo, v_hi = u0, u0, v0, v0
    for corner in range(4):
        a = half_m[0] if corner & 1 else -half_m[1]
        e = half_m[2] if corner & 2 else -half_m[3]
        # A surfel that reaches behind the camera is cut by reach_px.
        per_z = 1.0 / max(float(p[2] + a * tangents[0, 2] + e * tangents[1, 2]), 0.1)
        u = fx * (p[0] + a * tangents[0, 0] + e * tangents[1, 0]) * per_z + cx
        v = fy * (p[1] + a * tangents[0, 1] + e * tangents[1, 1]) * per_z + cy
        u_lo, u_hi = min(u_lo, u), max(u_hi, u)
        v_lo, v_hi = min(v_lo, v), max(v_hi, v)
    u_lo, u_hi = max(u_lo, u0 - reach_px, 0.0), min(u_hi, u0 + reach_px, width_px - 1.0)
    v_lo, v_hi = max(v_lo, v0 - reach_px, 0.0), min(v_hi, v0 + reach_px, height_px - 1.0)
    if not (u_lo <= u_hi and v_lo <= v_hi):
        return 0, -1, 0, -1
    return int(np.ceil(v_lo)), int(np.floor(v_hi)), int(np.ceil(u_lo)), int(np.floor(u_hi))


@njit(cache=True, nogil=True, inline="always")
def surfel_normal(tangents: NDArray[np.float32]) -> tuple[float, float, float]:
    """A x E, not of unit length."""
    ax, ay, az = np.float64(tangents[0, 0]), np.float64(tangents[0, 1]), np.float64(tangents[0, 2])
    ex, ey, ez = np.float64(tangents[1, 0]), np.float64(tangents[1, 1]), np.float64(tangents[1, 2])
    return float(ay * ez - az * ey), float(az * ex - ax * ez), float(ax * ey - ay * ex)


@njit(cache=True, nogil=True, error_model="numpy")
def project_surfels(
    surfels: SurfelGeometry,
    trust: NDArray[np.float32],
    share: NDArray[np.float32],
    reach_px: NDArray[np.float32],
    camera: Pinhole,
    out: ProjectedSurfels,
) -> int:
    """Write the surfels that cover pixels to the first rows of `out` (arrays of N rows); return how many they are.

    A pixel's ray d (scaled to z = 1) meets the plane n.q = n.p at inverse depth w = n.d / n.p, linear in the pixel. So
    are w a and w e for the surfel's own coordinates: with n = A x E, F = (E x n) / n.n and G = (n x A) / n.n it is
    a = F.(d / w - p), hence w a = F.d - w F.p, and likewise w e = G.d - w G.p. No division is left for the pixels.

    Args:
        surfels: all ahead of the camera.
        trust: (N,), factor of the weight.
        share: (N,), probability with which the surfel was kept, see `subsample_surfels`; 0 covers nothing.
        reach_px: (N,), greatest distance of a covered pixel from the surfel's point, along rows and columns.
    """
    xyz_cam, tangents, half_m = surfels
    planes, bounds, rows = out
    K = camera.K
    per_fx, per_fy, cx, cy = 1 / K[0, 0], 1 / K[1, 1], K[0, 2], K[1, 2]
    count = 0
    for i in range(len(xyz_cam)):
        a_hi, a_lo, e_hi, e_lo = half_m[i, 0], half_m[i, 1], half_m[i, 2], half_m[i, 3]
        if share[i] <= 0 or a_hi + a_lo <= 0 or e_hi + e_lo <= 0:
            continue
        px, py, pz = np.float64(xyz_cam[i, 0]), np.float64(xyz_cam[i, 1]), np.float64(xyz_cam[i, 2])
        nx, ny, nz = surfel_normal(tangents[i])
        nn, n_p = nx * nx + ny * ny + nz * nz, nx * px + ny * py + nz * pz
        if not (nn >= 1e-6 and abs(n_p) > 1e-3 * np.sqrt(px * px + py * py + pz * pz)):
            continue
        per_n_p = 1 / n_p
        wx, wy, wz = nx * per_n_p, ny * per_n_p, nz * per_n_p
        w_col, w_row = wx * per_fx, wy * per_fy
        row_lo, row_hi, col_lo, col_hi = surfel_bounds(xyz_cam[i], tangents[i], half_m[i], reach_px[i], camera)
        if row_hi < row_lo or col_hi < col_lo:
            continue
        box, plane = bounds[count], planes[count]
        rows[count] = i
        count += 1
        box[0], box[1], box[2], box[3] = row_lo, row_hi, col_lo, col_hi
        dx, dy = (col_lo - cx) * per_fx, (row_lo - cy) * per_fy
        w = wx * dx + wy * dy + wz
        plane[INVERSE], plane[INVERSE + 1], plane[INVERSE + 2] = w, w_col, w_row
        ax, ay, az = np.float64(tangents[i, 0, 0]), np.float64(tangents[i, 0, 1]), np.float64(tangents[i, 0, 2])
        ex, ey, ez = np.float64(tangents[i, 1, 0]), np.float64(tangents[i, 1, 1]), np.float64(tangents[i, 1, 2])
        per_nn = 1 / nn
        fx, fy, fz = (ey * nz - ez * ny) * per_nn, (ez * nx - ex * nz) * per_nn, (ex * ny - ey * nx) * per_nn
        gx, gy, gz = (ny * az - nz * ay) * per_nn, (nz * ax - nx * az) * per_nn, (nx * ay - ny * ax) * per_nn
        f_p, g_p = fx * px + fy * py + fz * pz, gx * px + gy * py + gz * pz
        plane[ALONG] = fx * dx + fy * dy + fz - w * f_p
        plane[ALONG + 1], plane[ALONG + 2] = fx * per_fx - w_col * f_p, fy * per_fy - w_row * f_p
        plane[ACROSS] = gx * dx + gy * dy + gz - w * g_p
        plane[ACROSS + 1], plane[ACROSS + 2] = gx * per_fx - w_col * g_p, gy * per_fy - w_row * g_p
        for k in range(4):
            plane[PER_REACH + k] = np.float32(1) / half_m[i, k] if half_m[i, k] > 0 else NO_REACH
        plane[SCALE] = trust[i] / (share[i] * ((a_hi + a_lo) * (e_hi + e_lo) + np.float32(1e-6)))
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def surfel_slopes(
    surfel: NDArray[np.int32],
    xyz_cam: NDArray[np.float32],
    tangents: NDArray[np.float32],
    K: NDArray[np.float64],
    out: NDArray[np.float32],
) -> None:
    """Write the derivatives of inverse depth by column and row on the surfel of each pixel, 1/(m px).

    Args:
        surfel: (H,W) index, -1 for none; xyz_cam: (N,3) m; tangents: (N,2,3) unit vectors in cam.
        out: (H,W,2), zeros where there is no surfel or it is seen edge-on.
    """
    per_fx, per_fy = np.float32(1 / K[0, 0]), np.float32(1 / K[1, 1])
    height_px, width_px = surfel.shape
    for row in range(height_px):
        for col in range(width_px):
            i = surfel[row, col]
            out[row, col, 0], out[row, col, 1] = 0, 0
            if i < 0:
                continue
            p, a, e = xyz_cam[i], tangents[i, 0], tangents[i, 1]
            nx, ny, nz = a[1] * e[2] - a[2] * e[1], a[2] * e[0] - a[0] * e[2], a[0] * e[1] - a[1] * e[0]
            n_p, pp = nx * p[0] + ny * p[1] + nz * p[2], p[0] * p[0] + p[1] * p[1] + p[2] * p[2]
            if nx * nx + ny * ny + nz * nz >= np.float32(1e-6) and n_p * n_p > np.float32(1e-6) * pp:
                per_n_p = np.float32(1) / n_p
                out[row, col, 0], out[row, col, 1] = nx * per_n_p * per_fx, ny * per_n_p * per_fy
