"""What the network is shown: alternatives to the guess, and how alike they look."""

from __future__ import annotations

import numpy as np

from densegt.completion.classical import Classical
from densegt.completion.features import ALTERNATIVES, CHANNELS, COLOURS, features_of

from .scenes import given, scan_lines, street


def lone(row, col, *, shape=(20, 30)):
    """One measured pixel of 12 m, and an image whose every column has its own brightness."""
    image = np.empty((*shape, 3), np.uint8)
    image[:] = 60 + 2 * np.arange(shape[1])[:, None]
    depth = np.zeros(shape, np.float32)
    depth[row, col] = 12
    return given(image, depth)


def test_alternatives_are_what_was_measured_around():
    """In log depth against the guess: above, below, left, right."""
    image, truth = street()
    found = features_of(given(image, scan_lines(truth)), Classical())
    assert found.channels.shape == (CHANNELS, *truth.shape)
    alternatives_m = found.guess_m * np.exp(found.channels[ALTERNATIVES])
    measured_m = np.append(np.unique(scan_lines(truth)), 0)
    known = found.known > 0
    np.testing.assert_allclose(alternatives_m[:4, known], np.tile(truth[known], (4, 1)), rtol=1e-5)
    # Some alternative is nearly always nearer the truth than the guess is.
    there = (truth > 0) & ~known
    error = np.abs(alternatives_m[:, there] - truth[there])
    assert np.mean(error.min(0)) < 0.7 * np.mean(np.abs(found.guess_m - truth)[there])
    one = alternatives_m[0][found.channels[ALTERNATIVES][0] != 0]
    assert np.abs(one[:, None] / np.maximum(measured_m, 1e-3) - 1).min(1).max() < 1e-4


def test_colours_are_those_of_what_was_measured():
    sparse = lone(10, 20)
    colours = features_of(sparse, Classical()).channels[COLOURS]
    # Below it, it is the one above; each column differs by 2.
    np.testing.assert_allclose(colours[0, 15, 17:24], np.abs(np.arange(17, 24) - 20) * 2 / 60, atol=1e-6)
    np.testing.assert_allclose(colours[1, 5, 17:24], np.abs(np.arange(17, 24) - 20) * 2 / 60, atol=1e-6)
    np.testing.assert_allclose(colours[3, 10, :20], (20 - np.arange(20)) * 2 / 60, atol=1e-6)
    # Nothing is there to differ from.
    assert not colours[0, :10].any()
    assert not colours[1, 11:].any()
