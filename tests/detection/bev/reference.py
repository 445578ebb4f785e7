"""Slow, obvious twins of bins, places and splatting; what was published, where that is right."""

from __future__ import annotations

import math

import torch


def edge_m(bins, i):
    """Where bin i begins, as published (CaDDN, equations 1 to 3), in Python's floats."""
    low, high, count = bins.min_m, bins.max_m, bins.count
    if bins.kind == "UD":
        return low + i * (high - low) / count
    if bins.kind == "LID":
        return low + (high - low) / (count * (count + 1)) * i * (i + 1)
    return math.exp(math.log(1 + low) + i / count * math.log((1 + high) / (1 + low))) - 1


def published_index(bins, depth_m):
    """Real-valued index (its floor is the bin), as published with the formulas for edges, in Python's floats."""
    low, high, count = bins.min_m, bins.max_m, bins.count
    if bins.kind == "UD":
        return (depth_m - low) / ((high - low) / count)
    if bins.kind == "LID":
        size = 2 * (high - low) / (count * (count + 1))
        return -0.5 + 0.5 * math.sqrt(1 + 8 * (depth_m - low) / size)
    return count * (math.log(1 + depth_m) - math.log(1 + low)) / (math.log(1 + high) - math.log(1 + low))


def sample_cells(grid, depth_m, uv, K, T_ref_cam):
    """Sample by sample: unproject, transform, divide, round down."""
    out = torch.full(depth_m.shape, -1, dtype=torch.int64)
    for b, c, d, i, j in torch.cartesian_prod(*map(torch.arange, depth_m.shape)).tolist():
        (fx, skew, cx), (_, fy, cy), _ = K[b, c].tolist()
        u, v = uv[b, c, i, j].tolist()
        z = float(depth_m[b, c, d, i, j])
        y = (v - cy) / fy
        x = (u - cx - skew * y) / fx
        point = T_ref_cam[b, c] @ torch.tensor([x * z, y * z, z, 1.0], dtype=torch.float64)
        x, y, z = point[:3].tolist()
        rows, columns = grid.shape
        row, column = math.floor((y - grid.y_min_m) / grid.cell_m), math.floor((x - grid.x_min_m) / grid.cell_m)
        if 0 <= row < rows and 0 <= column < columns and grid.z_min_m <= z < grid.z_max_m:
            out[b, c, d, i, j] = row * columns + column
    return out


def splat(weights, features, cell, grid):
    """The product of features and weights in memory, added where it belongs."""
    batch = cell.shape[0]
    channels = features.shape[2]
    lifted = weights.unsqueeze(2) * features.unsqueeze(3)
    bev = torch.zeros(batch, grid.cells, channels, dtype=lifted.dtype)
    for b in range(batch):
        inside = cell[b] >= 0
        bev[b] = bev[b].index_add(0, cell[b][inside], lifted[b].movedim(1, -1)[inside])
    return bev.unflatten(1, grid.shape).permute(0, 3, 1, 2)
