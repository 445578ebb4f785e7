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


def splat_patches(xyz_cam, tangents, half_m, K, reach_px, beyond_m, out):
    for i in range(len(xyz_cam)):
        for row, col, z, _, _ in _covered(xyz_cam[i], tangents[i], half_m[i], K, reach_px[i], out.shape):
            if z > beyond_m[row, col]:
                out[row, col] = min(out[row, col], z)


def blend_patches(
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


def judge_patches(xyz_cam, tangents, sweep, lidar_cam, focal_px, noise_m, trust, incidence):
    """By the angles themselves."""
    for i, p in enumerate(xyz_cam.astype(float)):
        beam, normal = p - lidar_cam[sweep[i]], np.cross(*tangents[i].astype(float))
        sine = np.linalg.norm(np.cross(beam, p)) / (np.linalg.norm(beam) * np.linalg.norm(p) + 1e-12)
        trust[i] = 1 / (1 + (noise_m * sine * focal_px / p[2]) ** 2)
        incidence[i] = abs(normal @ p) / max(np.linalg.norm(normal) * np.linalg.norm(p), 1e-9)


def thin(xyz_cam, half_m, incidence, reach_px, K, height_px, width_px, layers, count, share):
    """Gather each cell's surfels in a dictionary, add up the pixels they cover."""
    cells = {}
    for i, p in enumerate(xyz_cam[:count].astype(np.float64)):
        u, v = (K @ (p / p[2]))[:2]
        cells.setdefault(_cell(u, v, p[2], height_px, width_px), []).append(i)
    for rows in cells.values():
        covered = 0.0
        for i in rows:
            p = xyz_cam[i].astype(np.float64)
            area_m2 = half_m[i, :2].sum() * half_m[i, 2:].sum()
            covered += min(
                area_m2 * incidence[i] * np.linalg.norm(p) / p[2] ** 3 * K[0, 0] * K[1, 1], (2 * reach_px[i]) ** 2
            )
        chance = min(1.0, layers * 64 / max(covered, 1e-9))
        for i in rows:
            share[i] *= chance if i * 0.6180339887498949 % 1 < chance else 0


def thin_points(xyz, sweep, stays, T_cam_src, K, height_px, width_px, most, rows, share):
    """Gather each cell's points in a dictionary, keep some of each."""
    cells = {}
    for i in rows:
        p = (T_cam_src @ [*xyz[i].astype(np.float64), 1])[:3]
        cells.setdefault(_cell(*(K @ (p / p[2]))[:2], p[2], height_px, width_px), []).append(i)
    kept = []
    for members in cells.values():
        chance = min(1.0, most * 64 / len(members))
        kept += [(i, 1.0) for i in members if stays[sweep[i]]]
        kept += [(i, chance) for i in members if not stays[sweep[i]] and i * 0.6180339887498949 % 1 < chance]
    for m, (i, chance) in enumerate(sorted(kept)):
        rows[m], share[m] = i, chance
    return len(kept)


def _cell(u, v, z, height_px, width_px):
    """Eight pixels wide and high, an eighth of an octave deep; one border around the image."""
    col, row = np.clip(np.floor(u / 8), -1, width_px // 8 + 1), np.clip(np.floor(v / 8), -1, height_px // 8 + 1)
    mantissa, exponent = np.frexp(np.float32(z))
    depth = 8 * (exponent + 2) + int(np.floor((2 * mantissa - 1) * 8))
    return int(row), int(col), int(np.clip(depth, 0, 127))


def lay_down(surface_m, best, shown, shown_m, hidden, depth_m, row_of, measured):
    for at in np.ndindex(shown.shape):
        depth_m[at], row_of[at], measured[at] = 0, -1, False
        if hidden[at]:
            continue
        if shown[at] >= 0:
            depth_m[at], row_of[at], measured[at] = shown_m[at], shown[at], True
        elif best[at] >= 0:
            depth_m[at], row_of[at] = surface_m[at], best[at]


def enlarge(
    depth_m,
    row_of,
    sure,
    inverse_slope,
    step,
    relative,
    shown,
    shown_m,
    kind,
    age_s,
    surface,
    out_m,
    out_kind,
    out_age_s,
    out_sure,
):
    """Pixel by pixel: the cell it lies in, where it lies there, what the cell's plane says, then its own point."""
    for r, c in np.ndindex(shown.shape):
        cell = r // step, c // step
        out_m[r, c], out_kind[r, c], out_age_s[r, c], out_sure[r, c] = 0, 0, 0, 0
        if depth_m[cell] <= 0:
            continue
        z, i, p = float(depth_m[cell]), row_of[cell], shown[r, c]
        off = [((at + 0.5) / step - (box + 0.5)) for at, box in ((c, cell[1]), (r, cell[0]))]
        inverse = 1 / z + inverse_slope[cell].astype(float) @ off
        if 1 / (1 + relative) <= 1 / (z * inverse) <= 1 + relative:
            z = 1 / inverse
        mine = p >= 0 and z / (1 + relative) <= shown_m[r, c] <= z * (1 + relative)
        if mine:
            z, i = shown_m[r, c], p
        out_m[r, c], out_kind[r, c], out_sure[r, c] = z, kind[i] if mine else surface, sure[cell]
        out_age_s[r, c] = age_s[i] if i >= 0 else 0


def visible_points(xyz_cam, K, front_m, relative, absolute_m, step, shown, shown_m):
    for i, (x, y, z) in enumerate(xyz_cam.astype(np.float64)):
        if not z > 0 or not np.isfinite([x, y, z]).all():
            continue
        col, row = (int(np.floor(p + 0.5)) for p in (K @ [x / z, y / z, 1])[:2])
        if not (0 <= col < shown.shape[1] and 0 <= row < shown.shape[0]):
            continue
        if z - relative * z - absolute_m > front_m[row // step, col // step]:
            continue
        if shown[row, col] < 0 or xyz_cam[i, 2] < xyz_cam[shown[row, col], 2]:
            shown[row, col], shown_m[row, col] = i, xyz_cam[i, 2]


def nearest_of_cell(points, points_m, step, shown, shown_m):
    for row, col in np.ndindex(shown.shape):
        box = slice(row * step, (row + 1) * step), slice(col * step, (col + 1) * step)
        there = sorted((m, i) for m, i in zip(points_m[box].ravel(), points[box].ravel(), strict=True) if i >= 0)
        shown_m[row, col], shown[row, col] = there[0] if there else (np.inf, -1)


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


def enclosed(depth_m, radius_px, relative, absolute_m, out):
    """Cut the eight arms of a star out of the image and ask each for anything nearer."""
    H, W = depth_m.shape
    for row in range(H):
        for col in range(W):
            out[row, col] = False
            if not np.isfinite(depth_m[row, col]):
                continue
            near_on = {}
            for dr in (-1, 0, 1):
                for dc in (-1, 0, 1):
                    steps = [(row + s * dr, col + s * dc) for s in range(1, radius_px + 1)]
                    arm = np.array([depth_m[r, c] for r, c in steps if 0 <= r < H and 0 <= c < W])
                    in_front = depth_m[row, col] - arm > absolute_m + relative * depth_m[row, col]
                    near_on[dr, dc] = bool(in_front.any())
            lines = [near_on[d] and near_on[-d[0], -d[1]] for d in ((0, 1), (1, 0), (1, 1), (1, -1))]
            out[row, col] = sum(lines) >= 3


def fill_range_image(row, azimuth, range_m, out):
    """Sort by range and write the farthest first."""
    columns = out.shape[1]
    borders = np.linspace(-np.pi, np.pi, columns + 1)
    for i in np.argsort(-range_m, kind="stable"):
        column = (np.searchsorted(borders, float(azimuth[i]), side="right") - 1) % columns
        out[row[i], column] = range_m[i]


def beam_to(xyz, origin, velocity, R_lidar_global, clock):
    """From the stamp's place guess when the beam passed; look again from where the lidar was then."""
    sign, seam_rad, stamp_fraction, period_s = (float(c) for c in clock)
    R, place = R_lidar_global.astype(np.float64), origin.astype(np.float64)
    x, y, _ = R @ (xyz - place)
    past_seam = (sign * (np.arctan2(y, x) - seam_rad)) % (2 * np.pi)
    time_s = (past_seam / (2 * np.pi) - stamp_fraction) * period_s
    x, y, z = R @ (xyz - (place + velocity.astype(np.float64) * time_s))
    return np.arctan2(y, x), np.arctan2(z, np.hypot(x, y)), np.sqrt(x * x + y * y + z * z)


def _beams_around(image, ring_elevation, azimuth, elevation):
    """Ranges (2,4) of the rings below and above a direction, at the four columns whose middles are nearest."""
    columns = image.shape[1]
    middles = -np.pi + (np.arange(columns) + 0.5) * 2 * np.pi / columns
    away = np.abs((middles - azimuth + np.pi) % (2 * np.pi) - np.pi)
    lower = np.flatnonzero(ring_elevation <= elevation)[-1]
    return image[[lower, lower + 1]][:, np.argsort(away, kind="stable")[:4]].astype(np.float64)


def free_space_votes(
    xyz,
    sweep,
    offsets,
    images,
    ring_elevation,
    origin,
    velocity,
    R_lidar_global,
    clock,
    absolute_m,
    relative,
    passed,
    met,
):
    passed[:], met[:] = 0, 0
    for i, place in enumerate(xyz):
        for s in sweep[i] + offsets:
            if not 0 <= s < len(images):
                continue
            azimuth, elevation, distance = beam_to(place, origin[s], velocity[s], R_lidar_global[s], clock)
            if not ring_elevation[0] <= elevation < ring_elevation[-1]:
                continue
            around = _beams_around(images[s], ring_elevation, azimuth, elevation)
            margin = absolute_m + relative * distance
            answered = around > 0
            if (answered & (np.abs(around - distance) <= margin)).any():
                met[i] += 1
            elif answered.any(axis=1).all() and (around[answered] > distance + margin).all():
                passed[i] += 1


def unanswered(
    xyz,
    asked,
    images,
    ring_elevation,
    origin,
    velocity,
    R_lidar_global,
    clock,
    max_range_m,
    min_elevation_rad,
    margin_m,
    out,
):
    for i, place in enumerate(xyz):
        beams = []
        may = len(asked) > 0
        for s in asked:
            azimuth, elevation, distance = beam_to(place, origin[s], velocity[s], R_lidar_global[s], clock)
            in_field = max(ring_elevation[0], min_elevation_rad) <= elevation < ring_elevation[-1]
            if not in_field or distance > max_range_m[i]:
                may = False
                continue
            around = _beams_around(images[s], ring_elevation, azimuth, elevation)
            may &= around.max() <= distance - margin_m
            beams.extend(around.ravel())
        out[i] = may and np.count_nonzero(np.array(beams) == 0) * 3 >= 8 * len(asked)


def plane_votes(depth_m, measured, inverse_slope, radius_px, relative, absolute_m, agree, farther):
    height, width = depth_m.shape
    for row, col in np.argwhere(measured):
        for r in range(height):
            for c in range(width):
                z = depth_m[r, c]
                if max(abs(r - row), abs(c - col)) > radius_px or (r, c) == (row, col) or not z > 0:
                    continue
                slope = inverse_slope[row, col]
                foretold = 1 / depth_m[row, col] + slope[0] * (c - col) + slope[1] * (r - row)
                off, tolerance = z * foretold - 1, relative + absolute_m / z
                agree[r, c] += abs(off) <= tolerance
                farther[r, c] += off < -tolerance


def count_layers(xyz_cam, asked, K, front_m, relative, absolute_m, on, behind):
    for (x, y, z), ask in zip(xyz_cam.astype(float), asked, strict=True):
        if not ask or not z > 0:
            continue
        col, row = (int(np.floor(v + 0.5)) for v in (K[0, 0] * x / z + K[0, 2], K[1, 1] * y / z + K[1, 2]))
        if 0 <= row < front_m.shape[0] and 0 <= col < front_m.shape[1]:
            (behind if z * (1 - relative) - absolute_m > front_m[row, col] else on)[row, col] += 1


def evidence(
    depth_m,
    row_of,
    measured,
    between,
    agree,
    farther,
    nearest_around_m,
    nearest_close_m,
    support,
    support_around,
    first_weight,
    second_weight,
    known_around,
    seen_through,
    moving,
    passing,
    trust,
    age_s,
    incidence,
    out,
):
    known = depth_m > 0
    of = row_of[known]
    has = of >= 0
    surfel = np.maximum(of, 0)
    share = support / np.maximum(support_around, 1e-6)
    ratio = first_weight / np.maximum(second_weight, 1e-9)

    def column(values):
        return np.where(has, values[surfel], 0) if len(values) else np.zeros(len(of))

    columns = [
        np.log1p(agree[known].astype(float)),
        np.log1p(farther[known].astype(float)),
        np.minimum(depth_m / nearest_around_m - 1, 1)[known],
        np.minimum(depth_m / nearest_close_m - 1, 1)[known],
        np.log(np.clip(support, 1e-3, 1e6))[known],
        np.log(np.clip(share, 1e-3, 1e3))[known],
        np.log(np.clip(ratio, 1e-2, 1e2))[known],
        column(moving & ~passing),
        np.where(has, 1 - column(trust), 0),
        1 - known_around[known],
        np.log(depth_m[known]),
        column(np.minimum(np.abs(age_s), 3)),
        column(incidence),
        ~measured[known] & ~between[known],
        between[known],
        column(passing),
        seen_through[known],
    ]
    out[:] = np.stack(columns, axis=1)


def linked(range_a, range_b, step_rad, max_slope):
    """A step in range below 10 cm plus `max_slope` times the gap between two beams at the nearer one's range."""
    nearer, farther = sorted((range_a, range_b))
    return farther - nearer < 0.1 + max_slope * step_rad * nearer


def _chain(i, side, range_m, neighbours, step_rad, max_slope):
    """Up to twelve returns from i on, each linked to the one before."""
    chain = [i]
    while len(chain) <= 12:
        following = neighbours[chain[-1], side]
        if following < 0 or not linked(range_m[chain[-1]], range_m[following], step_rad, max_slope):
            break
        chain.append(following)
    return chain[1:]


def reach_along(i, side, xyz, range_m, neighbours, step_rad, max_slope, baseline_m):
    chain = _chain(i, side, range_m, neighbours, step_rad, max_slope)
    far = [j for j in chain if np.linalg.norm(xyz[j] - xyz[i]) >= baseline_m]
    return far[0] if far else chain[-1] if chain else -1


def _straight(first, middle, last):
    """Cosine of the bend of a line through three points; -1 where two coincide."""
    a, b = middle - first, last - middle
    lengths = np.linalg.norm(a) * np.linalg.norm(b)
    return a @ b / lengths if lengths > 1e-6 else -1.0


def goes_on(i, end, side, xyz, range_m, neighbours, step_rad, max_slope, baseline_m, min_cosine):
    """Two stretches onwards: along links, or where there is no link over the next two neighbours."""
    if end >= 0:
        onwards = reach_along(end, side, xyz, range_m, neighbours, step_rad, max_slope, baseline_m)
        steps, least = [end, onwards], min_cosine
    else:
        chain = _chain(i, side, range_m, neighbours, step_rad, 15.0)[:2]
        steps, least = chain + [-1] * (2 - len(chain)), 0.97
    if min(steps) < 0:
        return 0.0
    cosine = _straight(xyz[i], xyz[steps[0]], xyz[steps[1]])
    return cosine if cosine >= least else 0.0


def _chord(middle, near, flat, ends, onwards, min_cosine):
    """Where the chord through a return begins and ends, None for a side that it does not reach to."""
    a, b = ends
    if a is not None and b is not None and _straight(a, middle, b) >= min_cosine:
        return ends
    if all(flat) and _straight(near[0], middle, near[1]) >= 0.97:
        return near
    if max(onwards) > 0:
        best = 0 if onwards[0] >= onwards[1] else 1
        kept = ends[best] if ends[best] is not None else near[best]
        return (kept, None) if best == 0 else (None, kept)
    if a is None or b is None:
        return ends
    return tuple(end if np.linalg.norm(end - middle) < 0.3 else None for end in ends)


def cell_shape(xyz, neighbours, step_rad, max_slope, max_half_m, baseline_m, min_cosine, tangents, half_m, mixed):
    """For each return and axis find the chord of the surface through it, then its direction and reaches."""
    p = xyz.astype(np.float64)
    range_m = np.linalg.norm(p, axis=1)
    tangents[:], half_m[:], mixed[:] = 0, 0, False
    for i in range(len(p)):
        for axis in range(2):
            sides = (2 * axis, 2 * axis + 1)
            links = (p, range_m, neighbours, step_rad[2 * axis], max_slope, baseline_m)
            reached = [reach_along(i, side, *links) for side in sides]
            onwards = [goes_on(i, end, side, *links, min_cosine) for end, side in zip(reached, sides, strict=True)]
            near = tuple(p[j] if j >= 0 else None for j in neighbours[i, list(sides)])
            ends = tuple(p[j] if j >= 0 else None for j in reached)
            flat = [bool(_chain(i, side, range_m, neighbours, step_rad[2 * axis], 15.0)) for side in sides]
            start, stop = _chord(p[i], near, flat, ends, onwards, min_cosine)
            chord = (p[i] if start is None else start) - (p[i] if stop is None else stop)
            if np.linalg.norm(chord) > 1e-4:
                tangents[i, axis] = chord / np.linalg.norm(chord)
                for side, end, beside in zip(sides, (start, stop), near, strict=True):
                    if end is not None:
                        half_m[i, side] = min(0.55 * np.linalg.norm(beside - p[i]), max_half_m)
        left, right = neighbours[i, :2]
        if left >= 0 and right >= 0 and not half_m[i, :2].any():
            nearer, farther = sorted((range_m[left], range_m[right]))
            mixed[i] = nearer + 0.3 < range_m[i] < farther - 0.3
        if not tangents[i, 0].any():
            tangents[i, 0] = np.array([-p[i, 1], p[i, 0], 0]) / np.hypot(p[i, 0], p[i, 1])
        if not tangents[i, 1].any() or abs(tangents[i, 0] @ tangents[i, 1]) > 0.5:
            up = np.cross(p[i], tangents[i, 0])
            tangents[i, 1] = up / np.linalg.norm(up)
            half_m[i, 2:] = 0
