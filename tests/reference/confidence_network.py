"""Slow twins of densegt.kernels.confidence_network."""

from __future__ import annotations

import numpy as np


def confidence_network(rows, model, out):
    """Layer by layer in float64."""
    x = rows.astype(float)
    for layer in model[:2]:
        x = np.maximum(x @ layer[:, :-1].T + layer[:, -1], 0)
    out[: len(rows)] = 1 / (1 + np.exp(-(x @ model.third[:, :-1].T + model.third[:, -1])))[:, 0]
