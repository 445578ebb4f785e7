"""The confidence model: a small multilayer perceptron, evaluated on many rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float32 = NDArray[np.float32]

# Rows evaluated at once, so that activations stay in the cache.
BLOCK = 128
_U = np.uint64


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
    """Write W x + b for columns x; weights (H,C+1) hold b last.

    Indices are unsigned, or each would be asked whether it counts from the end, and nothing would become a vector.

    Args:
        x: (C*BLOCK,), out: (H*BLOCK,), row after row.
    """
    outputs, inputs = len(weights), weights.shape[1] - 1
    # Four rows at a time, so that columns are loaded a quarter as often, and four columns, so that sums are.
    for four in range(outputs // 4):
        h = 4 * four
        a, b, c, d = weights[h], weights[h + 1], weights[h + 2], weights[h + 3]
        to = _U(h * BLOCK)
        for k in range(BLOCK):
            out[to + _U(k)] = a[inputs]
            out[to + _U(BLOCK + k)] = b[inputs]
            out[to + _U(2 * BLOCK + k)] = c[inputs]
            out[to + _U(3 * BLOCK + k)] = d[inputs]
        for columns in range(inputs // 4):
            i = 4 * columns
            a0, a1, a2, a3 = a[i], a[i + 1], a[i + 2], a[i + 3]
            b0, b1, b2, b3 = b[i], b[i + 1], b[i + 2], b[i + 3]
            c0, c1, c2, c3 = c[i], c[i + 1], c[i + 2], c[i + 3]
            d0, d1, d2, d3 = d[i], d[i + 1], d[i + 2], d[i + 3]
            of = _U(i * BLOCK)
            for k in range(BLOCK):
                x0, x1 = x[of + _U(k)], x[of + _U(BLOCK + k)]
                x2, x3 = x[of + _U(2 * BLOCK + k)], x[of + _U(3 * BLOCK + k)]
                out[to + _U(k)] += (a0 * x0 + a1 * x1) + (a2 * x2 + a3 * x3)
                out[to + _U(BLOCK + k)] += (b0 * x0 + b1 * x1) + (b2 * x2 + b3 * x3)
                out[to + _U(2 * BLOCK + k)] += (c0 * x0 + c1 * x1) + (c2 * x2 + c3 * x3)
                out[to + _U(3 * BLOCK + k)] += (d0 * x0 + d1 * x1) + (d2 * x2 + d3 * x3)
        for i in range(inputs // 4 * 4, inputs):
            a0, b0, c0, d0 = a[i], b[i], c[i], d[i]
            of = _U(i * BLOCK)
            for k in range(BLOCK):
                x0 = x[of + _U(k)]
                out[to + _U(k)] += a0 * x0
                out[to + _U(BLOCK + k)] += b0 * x0
                out[to + _U(2 * BLOCK + k)] += c0 * x0
                out[to + _U(3 * BLOCK + k)] += d0 * x0
    for h in range(outputs // 4 * 4, outputs):
        a, to = weights[h], _U(h * BLOCK)
        for k in range(BLOCK):
            out[to + _U(k)] = a[inputs]
        for i in range(inputs):
            a0, of = a[i], _U(i * BLOCK)
            for k in range(BLOCK):
                out[to + _U(k)] += a0 * x[of + _U(k)]


@njit(cache=True, nogil=True)
def _rectify(x: Float32) -> None:
    """Rectified linear unit, in place."""
    for k in range(len(x)):
        x[k] = max(x[k], np.float32(0))


@njit(cache=True, nogil=True)
def network_buffers(model: ConfidenceModel) -> tuple[Float32, Float32, Float32]:
    """What the layers of a block are written to: (layers' outputs * BLOCK,)."""
    sizes = len(model.first) * BLOCK, len(model.second) * BLOCK
    return np.empty(sizes[0], np.float32), np.empty(sizes[1], np.float32), np.empty(BLOCK, np.float32)


@njit(cache=True, nogil=True)
def network_of_columns(
    x: Float32, model: ConfidenceModel, buffers: tuple[Float32, Float32, Float32], out: Float32
) -> None:
    """Write 1 / (1 + exp(-t)) to the first places of a block for columns x (C*BLOCK,), see `confidence_network`.

    Args:
        out: (N,), at most BLOCK.
    """
    y, z, t = buffers
    _dense(x, model.first, y)
    _rectify(y)
    _dense(y, model.second, z)
    _rectify(z)
    _dense(z, model.third, t)
    for k in range(len(out)):
        out[k] = np.float32(1) / (np.float32(1) + np.exp(-t[k]))


@njit(cache=True, nogil=True)
def confidence_network(rows: Float32, model: ConfidenceModel, out: Float32) -> None:
    """Write 1 / (1 + exp(-t)) to `out` (N,), t = W3 relu(W2 relu(W1 x + b1) + b2) + b3 for each row x of rows (N,C)."""
    x = np.zeros(rows.shape[1] * BLOCK, dtype=np.float32)
    buffers = network_buffers(model)
    for begin in range(0, len(rows), BLOCK):
        count = min(BLOCK, len(rows) - begin)
        for k in range(count):
            for c in range(rows.shape[1]):
                x[c * BLOCK + k] = rows[begin + k, c]
        network_of_columns(x, model, buffers, out[begin : begin + count])
