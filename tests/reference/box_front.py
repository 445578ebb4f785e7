"""Slow twins of densegt.kernels.box_front."""

from __future__ import annotations

import numpy as np


def box_front(depth_m, K, box, rows, cols, out):
    here, (enters, leaves) = crossings(K, box, rows, cols)
    inside = (depth_m[here] > enters) & (depth_m[here] < leaves + box.inside_m)
    out[here] = np.where(inside, enters, out[here])


def box_behind(depth_m, K, box, rows, cols, out):
    here, (_, leaves) = crossings(K, box, rows, cols)
    out[here] |= depth_m[here] > leaves + box.inside_m


def crossings(K, box, rows, cols):
    """The slab method on all pixels of the window at once: its pixels, and where their lines enter and leave."""
    rows, cols = np.arange(*rows), np.arange(*cols)
    x, y = (cols - K[0, 2]) / K[0, 0], ((rows - K[1, 2]) / K[1, 1])[:, None]
    way = np.stack(np.broadcast_arrays(x, y, 1.0), axis=-1) @ box.R_box_cam.T
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = (-box.half_m - box.origin_box) / way, (box.half_m - box.origin_box) / way
    unclear = np.isnan(low) | np.isnan(high)
    enters = np.where(unclear, -np.inf, np.minimum(low, high)).max(axis=-1, initial=-np.inf)
    leaves = np.where(unclear, np.inf, np.maximum(low, high)).min(axis=-1, initial=np.inf)
    with np.errstate(invalid="ignore"):
        middle_m = box.origin_box[2] + way[..., 2] * (enters + leaves) / 2
    through = (enters > 0) & (enters < leaves) & (middle_m > box.lowest_m)
    return np.ix_(rows, cols), [np.where(through, z, np.nan) for z in (enters, leaves)]
