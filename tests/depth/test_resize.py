"""Depth made smaller: against a loop over pixels; K agrees with where points land."""

from dataclasses import replace

import numpy as np
import pytest

from densegt.depth.resize import pick_nearest, resized, thinned
from densegt.depth.store import SceneReader
from densegt.errors import InputError

from .stores import camera, world, write_store


def slow(depth_m, width, height):
    rows, columns = depth_m.shape
    out = np.zeros((height, width), dtype=depth_m.dtype)
    for r in range(rows):
        for c in range(columns):
            if depth_m[r, c]:
                at = int((r + 0.5) * height / rows), int((c + 0.5) * width / columns)
                out[at] = min(depth_m[r, c], out[at]) if out[at] else depth_m[r, c]
    return out


@pytest.fixture
def record(tmp_path):
    store = write_store(tmp_path / "store", [(camera(sample="s0"), world()[0], {"age": np.ones((36, 64), np.int16)})])
    return next(iter(SceneReader(store / "scene-0001.h5")))


@pytest.mark.parametrize("size", [(64, 36), (32, 18), (20, 11), (1, 1), (64, 9)])
@pytest.mark.parametrize("filled", [0, 0.1, 1])
def test_each_small_pixel_takes_the_nearest(record, size, filled):
    rng = np.random.default_rng(5)
    depth = np.where(rng.random((36, 64)) < filled, rng.uniform(1, 80, (36, 64)), 0).astype(np.float32)
    small = resized(replace(record, depth_m=depth), size)
    np.testing.assert_array_equal(small.depth_m, slow(depth, *size))
    picked = pick_nearest(depth, size)
    np.testing.assert_array_equal(small.depth_m.ravel()[picked.small], depth.ravel()[picked.large])


def test_layers_and_source_are_of_the_same_pixels(record):
    source = np.arange(36 * 64, dtype=np.uint8).reshape(36, 64)
    small = resized(replace(record, source=source), (16, 9))
    known = small.depth_m > 0
    assert (small.layers["age"][known] == 1).all()
    assert not small.source[~known].any()
    for r, c in zip(*np.nonzero(known), strict=True):
        at = np.flatnonzero(source.ravel() == small.source[r, c])
        assert small.depth_m[r, c] in record.depth_m.ravel()[at]


def test_k_agrees_with_where_a_pixel_goes(record):
    small = resized(record, (16, 9))
    corner = np.array([[-0.5, -0.5, 1], [63.5, 35.5, 1]])
    rays = corner @ np.linalg.inv(record.K).T
    np.testing.assert_allclose(rays @ small.K.T, [[-0.5, -0.5, 1], [15.5, 8.5, 1]], atol=1e-9)


def test_thinned_keeps_places_and_size(record):
    thin = thinned(record, (16, 9))
    assert thin.depth_m.shape == record.depth_m.shape
    kept = thin.depth_m > 0
    np.testing.assert_array_equal(thin.depth_m[kept], record.depth_m[kept])
    assert kept.sum() == (resized(record, (16, 9)).depth_m > 0).sum()
    np.testing.assert_array_equal(thin.K, record.K)


@pytest.mark.parametrize("size", [(65, 36), (64, 37), (800, 450)])
def test_depth_is_not_invented(record, size):
    for make in (resized, thinned):
        with pytest.raises(InputError, match="64x36 px, less than"):
            make(record, size)
