"""Depth by what a pixel shows: counts small enough to check by hand."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.accuracy.hard_street import Result, add_image, pinholes
from densegt.depth.kind import Kind


def test_coverage_and_outliers_of_each_kind() -> None:
    truth_m = np.full((8, 20), 10, np.float32)
    kind = np.full((8, 20), Kind.STRUCTURE, np.uint8)
    kind[:, 10:], truth_m[:, 18:], kind[:, 18:] = Kind.GLASS, 0, Kind.NONE
    depth_m = truth_m.copy()
    depth_m[:4, :5] = 0
    depth_m[:, 12:16] = 14
    depth_m[:, 19] = 5
    out = Result()
    add_image(out, depth_m, truth_m, kind)
    solid, glass, sky = out.groups["solid"], out.groups["glass"], out.groups["sky"]
    assert (solid.all, solid.known, solid.wrong) == (80, 60, 0)
    assert glass.outlier_percent == pytest.approx(50)
    # 3x3 tolerance beside what is there.
    assert (sky.all, sky.known, sky.wrong) == (8, 8, 8)


def test_pinholes_are_small_and_their_rims_agree() -> None:
    depth_m = np.full((20, 30), 10, np.float32)
    depth_m[:, 20:] = 30
    small, large, edge = (slice(3, 6), slice(3, 7)), (slice(9, 14), slice(3, 7)), (slice(9, 11), slice(19, 21))
    for hole in (small, large, edge):
        depth_m[hole] = 0
    marked = pinholes(depth_m)
    assert marked[small].all()
    assert marked.sum() == 12
