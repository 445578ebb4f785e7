"""A counting sort."""

from __future__ import annotations

from typing import Any

from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def group(key: NDArray[Any], first: NDArray[Any], order: NDArray[Any]) -> None:
    """Stable order of integer keys.

    Args:
        key: (N,) integers in [0, K).
        first: out (K+1,), the items of key k are order[first[k] : first[k + 1]].
        order: out (N,), rows of the items.
    """
    first[:] = 0
    for k in key:
        first[k + 1] += 1
    for k in range(1, first.size):
        first[k] += first[k - 1]
    at = first.copy()
    for i in range(key.size):
        order[at[key[i]]] = i
        at[key[i]] += 1
