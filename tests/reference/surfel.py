"""Slow twins of densegt.kernels.surfel."""

from __future__ import annotations

import numpy as np


def meet(point, tangents, K, row, col):
    """Solve p + a A + e E = z d for a, e, z; None where the ray runs along the plane."""
    ray = np.array([(col - K[0, 2]) / K[0, 0], (row - K[1, 2]) / K[1, 1], 1.0])
    system = np.stack([tangents[0], tangents[1], -ray], axis=1).astype(np.float64)
    if abs(np.linalg.det(system)) < 1e-9:
        return None
    return np.linalg.solve(system, -point.astype(np.float64))


def on_plane(point, tangents, K, row, col):
    """Inverse depth w, w a and w e where a pixel's ray meets a surfel's plane."""
    a, e, z = meet(point, tangents, K, row, col)
    return np.array([1 / z, a / z, e / z])


def surfel_normal(tangents):
    return tuple(np.cross(*tangents.astype(np.float64)))


def surfel_bounds(p, tangents, half_m, reach_px, camera):
    """The box around the projected corners, cut to the reach and to the image."""
    corners = [p + a * tangents[0] + e * tangents[1] for a in (half_m[0], -half_m[1]) for e in (half_m[2], -half_m[3])]
    points = np.array([p, *corners], np.float64)
    points[1:, 2] = np.maximum(points[1:, 2], 0.1)
    uv = (camera.K @ (points / points[:, 2:]).T)[:2].T
    size = np.array([camera.width_px, camera.height_px])
    low = np.max([uv.min(axis=0), uv[0] - reach_px, [0, 0]], axis=0)
    high = np.min([uv.max(axis=0), uv[0] + reach_px, size - 1], axis=0)
    if not (low <= high).all():
        return 0, -1, 0, -1
    (col_lo, row_lo), (col_hi, row_hi) = np.ceil(low).astype(int), np.floor(high).astype(int)
    return row_lo, row_hi, col_lo, col_hi


def project_surfels(surfels, trust, share, reach_px, camera, out):
    """Solve for the plane at the first pixel and at its neighbours in column and row."""
    count = 0
    for i, (point, tangents, half_m) in enumerate(zip(*surfels, strict=True)):
        normal = np.cross(*tangents.astype(float))
        edge_on = np.linalg.norm(normal) < 1e-3 or abs(normal @ point) <= 1e-3 * np.linalg.norm(point)
        area = half_m[:2].sum() * half_m[2:].sum()
        if share[i] <= 0 or area <= 0 or edge_on or not np.isfinite(point).all():
            continue
        row_lo, row_hi, col_lo, col_hi = surfel_bounds(point, tangents, half_m, reach_px[i], camera)
        if row_hi < row_lo or col_hi < col_lo:
            continue
        here, right, below = (
            on_plane(point, tangents, camera.K, row, col)
            for row, col in ((row_lo, col_lo), (row_lo, col_lo + 1), (row_lo + 1, col_lo))
        )
        out.planes[count, :9] = np.stack([here, right - here, below - here], axis=1).ravel()
        out.planes[count, 9:13] = [1 / h if h > 0 else 1e30 for h in half_m]
        out.planes[count, 13] = trust[i] / (share[i] * (area + 1e-6))
        out.bounds[count], out.rows[count] = (row_lo, row_hi, col_lo, col_hi), i
        count += 1
    return count


def surfel_slopes(surfel, xyz_cam, tangents, K, out):
    """Differences between the inverse depths that two neighbouring rays meet; any two will do on a plane."""
    out[:] = 0
    for at, i in np.ndenumerate(surfel):
        if i < 0:
            continue
        point, normal = xyz_cam[i].astype(float), np.cross(*tangents[i].astype(float))
        if np.linalg.norm(normal) < 1e-3 or abs(normal @ point) <= 1e-3 * np.linalg.norm(point):
            continue
        # n.d / n.p is the inverse depth along the ray d.
        rays = np.array([[0, 0, 1], [1 / K[0, 0], 0, 1], [0, 1 / K[1, 1], 1]])
        w = rays @ normal / (normal @ point)
        out[at] = w[1] - w[0], w[2] - w[0]
