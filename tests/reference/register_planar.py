"""Slow twins of densegt.kernels.register_planar."""

from __future__ import annotations

import numpy as np


def _cell(p, slot, cell_m):
    """The cell of a point, heights in cells of twice the size; the middle of the model in the plane is the origin."""
    a, b, c = np.floor(p / [cell_m, cell_m, 2 * cell_m]).astype(int)
    return a + slot.shape[0] // 2, b + slot.shape[1] // 2, c


def nearest_in_model(p, model, cell_m, reach, reach_up, reach_m):
    a, b, c = _cell(p, model.slot, cell_m)
    found = [(reach_m**2, -1)]
    for at in np.argwhere(model.slot >= 0):
        if (np.abs(at - [a, b, c]) <= [reach, reach, reach_up]).all():
            m = model.slot[tuple(at)]
            found.append(((p - model.xyz[m]) ** 2 @ [1, 1, 0.1], m))
    best = min(found, key=lambda pair: pair[0])
    return best[1]


def near_model(p, model, cell_m, reach_m, out):
    members = model.xyz[model.slot[model.slot >= 0]]
    for i, point in enumerate(p):
        out[i] = len(members) and ((members - point) ** 2 @ [1, 1, 0.1]).min() < reach_m**2


def add_to_model(p, normal, model, size, cell_m, most):
    slot, place, facing, count = model
    for point, direction in zip(p, normal, strict=True):
        at = _cell(point, slot, cell_m)
        if not all(0 <= k < n for k, n in zip(at, slot.shape, strict=True)):
            continue
        if slot[at] < 0:
            if size < len(place):
                slot[at], place[size], facing[size], count[size] = size, point, direction, 1
                size += 1
            continue
        m = slot[at]
        count[m] += 1
        share = 1 / min(count[m], most)
        place[m] = (1 - share) * place[m] + share * point
        facing[m] = (1 - share) * facing[m] + share * direction * (1 if facing[m] @ direction >= 0 else -1)
    return size


def register_planar(p, normal, model, cell_m, reach_m, prior, start, rounds):
    """Gauss-Newton with the derivatives of the residuals taken by finite differences."""
    pose, matched = start.copy(), 0

    def into(pose):
        c, s, d = np.cos(pose[2]), np.sin(pose[2]), p[:, :2] - pose[:2]
        return np.column_stack([c * d[:, 0] + s * d[:, 1], -s * d[:, 0] + c * d[:, 1], p[:, 2]])

    for turn in range(rounds):
        radius = reach_m if turn < 2 else max(0.6 * reach_m, 0.35)
        q = into(pose)
        partner = [nearest_in_model(x, model, cell_m, int(np.ceil(radius / cell_m)), 1, radius) for x in q]
        rows = np.flatnonzero(np.array(partner, int) >= 0)
        matched, m = len(rows), np.array(partner, int)[rows]
        if not matched:
            return pose, 0
        error, n = (q[rows] - model.xyz[m])[:, :2], model.normal[m, :2]
        weight = 1 / (1 + (n * error).sum(axis=1) ** 2 / 0.02)
        W = (weight / 0.005)[:, None, None] * n[:, :, None] * n[:, None] + (weight / 0.12)[:, None, None] * np.eye(2)
        J = np.stack([(into(pose + d) - into(pose - d))[rows, :2] / 2e-6 for d in 1e-6 * np.eye(3)], axis=2)
        scale = min(1.0, 15.0 / matched)
        H = np.diag(prior) + scale * np.einsum("nia,nij,njb->ab", J, W, J)
        g = prior * (pose - start) + scale * np.einsum("nia,nij,nj->a", J, W, error)
        step = np.linalg.solve(H, g)
        pose = pose - step
        if np.abs(step).sum() < 2e-3 and turn > 1:
            break
    return pose, matched
