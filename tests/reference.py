"""The slow, obvious twin of every kernel, with the kernel's own name and arguments."""

from __future__ import annotations

from itertools import pairwise

import numpy as np


def ring_neighbours(ring_start, azimuth, max_step_rad, out):
    """For each point look at every point of the ring and of the rings above and below."""
    out[:] = -1
    rings = [np.arange(a, b) for a, b in pairwise(ring_start)]
    turn = np.float32(2 * np.pi)
    for r, members in enumerate(rings):
        for i in members:
            ahead = (azimuth[members] - azimuth[i]) % turn
            behind = (azimuth[i] - azimuth[members]) % turn
            for side, angle in ((0, ahead), (1, behind)):
                allowed = (angle > 0) & (angle <= max_step_rad)
                if allowed.any():
                    out[i, side] = members[allowed][np.argmin(angle[allowed])]
            for side, other in ((2, r + 1), (3, r - 1)):
                if 0 <= other < len(rings) and len(rings[other]):
                    there = rings[other]
                    ahead, behind = (azimuth[there] - azimuth[i]) % turn, (azimuth[i] - azimuth[there]) % turn
                    angle = np.minimum(ahead, behind)
                    if angle.min() <= max_step_rad:
                        out[i, side] = there[np.argmin(angle)]


def select_in_view(xyz, T_cam_src, K, width_px, height_px, margin_px, min_depth_m, max_depth_m, out):
    count = 0
    for i, point in enumerate(xyz.astype(np.float64)):
        x, y, z = T_cam_src[:3, :3] @ point + T_cam_src[:3, 3]
        if not min_depth_m < z < max_depth_m:
            continue
        u, v, _ = K @ [x / z, y / z, 1]
        if -margin_px <= u < width_px + margin_px and -margin_px <= v < height_px + margin_px:
            out[count] = i
            count += 1
    return count


def move_patches(xyz, tangents, rows, T_dst_src, xyz_dst, tangents_dst):
    xyz_dst[:] = xyz[rows].astype(np.float64) @ T_dst_src[:3, :3].T + T_dst_src[:3, 3]
    tangents_dst[:] = tangents[rows].astype(np.float64) @ T_dst_src[:3, :3].T


def _meet(point, tangents, K, row, col):
    """Solve p + a A + e E = z d for a, e, z; None where the ray runs along the plane."""
    ray = np.array([(col - K[0, 2]) / K[0, 0], (row - K[1, 2]) / K[1, 1], 1.0])
    system = np.stack([tangents[0], tangents[1], -ray], axis=1).astype(np.float64)
    if abs(np.linalg.det(system)) < 1e-6:
        return None
    return np.linalg.solve(system, -point.astype(np.float64))


def _covered(point, tangents, half_m, K, max_reach_px, shape):
    """Every pixel of the image whose ray meets the patch within its reach, with (row, col, z, a, e)."""
    if np.linalg.norm(np.cross(tangents[0], tangents[1])) < 1e-3:
        return
    u0, v0 = (K @ (point / point[2]))[:2]
    for row in range(shape[0]):
        for col in range(shape[1]):
            if abs(col - u0) > max_reach_px or abs(row - v0) > max_reach_px:
                continue
            met = _meet(point, tangents, K, row, col)
            if met is None or met[2] <= 0:
                continue
            a, e, z = met
            if -half_m[1] <= a <= half_m[0] and -half_m[3] <= e <= half_m[2]:
                yield row, col, z, a, e


def splat_patches(xyz_cam, tangents, half_m, K, max_reach_px, beyond_m, out):
    for i in range(len(xyz_cam)):
        for row, col, z, _, _ in _covered(xyz_cam[i], tangents[i], half_m[i], K, max_reach_px, out.shape):
            if z > beyond_m[row, col]:
                out[row, col] = min(out[row, col], z)


def blend_patches(
    xyz_cam, tangents, half_m, K, max_reach_px, beyond_m, front_m, relative, absolute_m, weighted_depth, weight, best
):
    best_weight = np.zeros(front_m.shape)
    for i in range(len(xyz_cam)):
        area = (half_m[i, 0] + half_m[i, 1]) * (half_m[i, 2] + half_m[i, 3]) + 1e-6
        for row, col, z, a, e in _covered(xyz_cam[i], tangents[i], half_m[i], K, max_reach_px, front_m.shape):
            if z <= beyond_m[row, col] or z * (1 - relative) - absolute_m > front_m[row, col]:
                continue
            a = a / half_m[i, 0] if a > 0 else -a / half_m[i, 1]
            e = e / half_m[i, 2] if e > 0 else -e / half_m[i, 3]
            w = (1 - a) * (1 - e) / area
            weighted_depth[row, col] += w * z
            weight[row, col] += w
            if w > best_weight[row, col]:
                best_weight[row, col], best[row, col] = w, i


def visible_points(xyz_cam, K, front_m, relative, absolute_m, shown):
    for i, (x, y, z) in enumerate(xyz_cam.astype(np.float64)):
        if not z > 0 or not np.isfinite([x, y, z]).all():
            continue
        col, row = (int(np.floor(p + 0.5)) for p in (K @ [x / z, y / z, 1])[:2])
        if not (0 <= col < shown.shape[1] and 0 <= row < shown.shape[0]):
            continue
        if z - relative * z - absolute_m > front_m[row, col]:
            continue
        if shown[row, col] < 0 or xyz_cam[i, 2] < xyz_cam[shown[row, col], 2]:
            shown[row, col] = i


def fill_between(depth_m, inverse_slope, max_gap_px, tolerance, out, nearest):
    """Walk from each unknown pixel both ways along four lines to the first known one."""
    H, W = depth_m.shape
    for row in range(H):
        for col in range(W):
            if depth_m[row, col] > 0:
                continue
            best = max_gap_px + 1.0
            for dr, dc in ((0, 1), (1, 0), (1, 1), (1, -1)):
                ends = []
                for sign in (1, -1):
                    for s in range(1, max(H, W)):
                        r, c = row + sign * s * dr, col + sign * s * dc
                        if not (0 <= r < H and 0 <= c < W):
                            break
                        if depth_m[r, c] > 0:
                            ends.append((s, r, c))
                            break
                if len(ends) < 2:
                    continue
                (s0, r0, c0), (s1, r1, c1) = ends
                gap = (s0 + s1) * np.hypot(dr, dc)
                if gap >= best:
                    continue
                w0, w1 = 1 / depth_m[r0, c0], 1 / depth_m[r1, c1]
                along = np.array([dc, dr])
                from0 = w0 - (s0 + s1) * (inverse_slope[r0, c0] @ along)
                from1 = w1 + (s0 + s1) * (inverse_slope[r1, c1] @ along)
                near = tolerance * min(w0, w1)
                same = abs(w0 - w1) <= near or (abs(from0 - w1) <= near and abs(from1 - w0) <= near)
                if same:
                    best = gap
                    out[row, col] = (s0 + s1) / (w0 * s1 + w1 * s0)
                    nearest[row, col] = r0 * W + c0 if s0 <= s1 else r1 * W + c1
