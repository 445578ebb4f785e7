"""Slow twins of densegt.kernels.box_front."""

from __future__ import annotations

import numpy as np


def box_front(depth_m, K, box, rows, cols, out):
    """The slab method on all pixels of the window at once."""
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
    here = np.ix_(rows, cols)
    inside = (enters > 0) & (enters < leaves) & (middle_m > box.lowest_m)
    inside &= (depth_m[here] > enters) & (depth_m[here] < leaves + box.inside_m)
    out[here] = np.where(inside, enters, out[here])
