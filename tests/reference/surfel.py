"""Slow twins of densegt.kernels.surfel."""

from __future__ import annotations

import numpy as np


def _meet(point, tangents, K, row, col):
    """Solve p + a A + e E = z d for a, e, z; None where the ray runs along the plane."""
    ray = np.array([(col - K[0, 2]) / K[0, 0], (row - K[1, 2]) / K[1, 1], 1.0])
    system = np.stack([tangents[0], tangents[1], -ray], axis=1).astype(np.float64)
    if abs(np.linalg.det(system)) < 1e-6:
        return None
    return np.linalg.solve(system, -point.astype(np.float64))


def _covered(point, tangents, half_m, K, reach_px, shape):
    """Every pixel of the image whose ray meets the surfel within its reach, with (row, col, z, a, e)."""
    if np.linalg.norm(np.cross(tangents[0], tangents[1])) < 1e-3:
        return
    u0, v0 = (K @ (point / point[2]))[:2]
    for row in range(shape[0]):
        for col in range(shape[1]):
            if abs(col - u0) > reach_px or abs(row - v0) > reach_px:
                continue
            met = _meet(point, tangents, K, row, col)
            if met is None or met[2] <= 0:
                continue
            a, e, z = met
            if -half_m[1] <= a <= half_m[0] and -half_m[3] <= e <= half_m[2]:
                yield row, col, z, a, e


def splat_surfels(xyz_cam, tangents, half_m, K, reach_px, beyond_m, out):
    for i in range(len(xyz_cam)):
        for row, col, z, _, _ in _covered(xyz_cam[i], tangents[i], half_m[i], K, reach_px[i], out.shape):
            if z > beyond_m[row, col]:
                out[row, col] = min(out[row, col], z)


def blend_surfels(
    xyz_cam,
    tangents,
    half_m,
    trust,
    K,
    reach_px,
    beyond_m,
    front_m,
    relative,
    absolute_m,
    weighted_depth,
    weight,
    best,
):
    best_weight = np.zeros(front_m.shape)
    for i in range(len(xyz_cam)):
        area = (half_m[i, 0] + half_m[i, 1]) * (half_m[i, 2] + half_m[i, 3]) + 1e-6
        for row, col, z, a, e in _covered(xyz_cam[i], tangents[i], half_m[i], K, reach_px[i], front_m.shape):
            if z <= beyond_m[row, col] or z > front_m[row, col] * (1 + relative) + absolute_m:
                continue
            a = a / half_m[i, 0] if a > 0 else -a / half_m[i, 1]
            e = e / half_m[i, 2] if e > 0 else -e / half_m[i, 3]
            w = trust[i] * (1 - a) * (1 - e) / area
            weighted_depth[row, col] += w * z
            weight[row, col] += w
            if w > best_weight[row, col]:
                best_weight[row, col], best[row, col] = w, i


def on_plane(point, tangents, K, row, col):
    """Inverse depth w, w a and w e where a pixel's ray meets a surfel's plane."""
    a, e, z = _meet(point, tangents, K, row, col)
    return np.array([1 / z, a / z, e / z])
