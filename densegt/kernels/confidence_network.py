"""The confidence model: a small multilayer perceptron, evaluated on many rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float32 = NDArray[np.float32]

# Rows evaluated at once, so that activations stay in the cache.
BLOCK = 128


class ConfidenceModel(NamedTuple):
    """Weights of a perceptron with two hidden layers; the last column of each layer is the bias.

    Attributes:
        first: (H,C+1) float32; second: (G,H+1) float32; third: (1,G+1) float32.
    """

    first: Float32
    second: Float32
    third: Float32


@njit(cache=True, nogil=True, fastmath={"contract"})
def _dense(x: Float32, weights: Float32, out: Float32) -> None:
    """Write W x + b (H,B) for columns x (C,B); weights (H,C+1) hold b last."""
    inputs = len(x)
    for h in range(len(weights)):
        row, w = out[h], weights[h]
        for k in range(BLOCK):
            row[k] = w[inputs]
        # Four at a time, so that sums are loaded and stored a quarter as often.
        for c in range(0, inputs - 3, 4):
            w0, w1, w2, w3 = w[c], w[c + 1], w[c + 2], w[c + 3]
            x0, x1, x2, x3 = x[c], x[c + 1], x[c + 2], x[c + 3]
            for k in range(BLOCK):
                row[k] += (w0 * x0[k] + w1 * x1[k]) + (w2 * x2[k] + w3 * x3[k])
        for c in range(inputs // 4 * 4, inputs):
            w0, x0 = w[c], x[c]
            for k in range(BLOCK):
                row[k] += w0 * x0[k]


@njit(cache=True, nogil=True)
def _rectify(x: Float32) -> None:
    """Rectified linear unit, in place."""
    for h in range(len(x)):
        row = x[h]
        for k in range(BLOCK):
            row[k] = max(row[k], np.float32(0))


@njit(cache=True, nogil=True)
def confidence_network(rows: Float32, model: ConfidenceModel, out: Float32) -> None:
    """Write 1 / (1 + exp(-t)) to `out` (N,), t = W3 relu(W2 relu(W1 x + b1) + b2) + b3 for each row x of rows (N,C)."""
    first, second, third = model
    x = np.zeros((rows.shape[1], BLOCK), dtype=np.float32)
    y, z = np.empty((len(first), BLOCK), dtype=np.float32), np.empty((len(second), BLOCK), dtype=np.float32)
    t = np.empty((1, BLOCK), dtype=np.float32)
    for begin in range(0, len(rows), BLOCK):
        count = min(BLOCK, len(rows) - begin)
        for k in range(count):
            for c in range(rows.shape[1]):
                x[c, k] = rows[begin + k, c]
        _dense(x, first, y)
        _rectify(y)
        _dense(y, second, z)
        _rectify(z)
        _dense(z, third, t)
        for k in range(count):
            out[begin + k] = np.float32(1) / (np.float32(1) + np.exp(-t[0, k]))
