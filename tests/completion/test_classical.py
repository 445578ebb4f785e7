"""The classical method: better than what is simpler, true to what is measured, and calm before odd input."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator

from densegt.completion.classical import Classical
from densegt.completion.method import CompletedDepth, SparseDepth
from densegt.completion.registry import open_method
from densegt.depth.edges import near_edges
from densegt.errors import InputError

from .scenes import given, scan_lines, street


def nearest(depth):
    at = np.argwhere(depth > 0)
    return NearestNDInterpolator(at, depth[depth > 0])(*np.mgrid[: depth.shape[0], : depth.shape[1]])


def linear(depth):
    at = np.argwhere(depth > 0)
    flat = LinearNDInterpolator(at, depth[depth > 0])(*np.mgrid[: depth.shape[0], : depth.shape[1]])
    return np.where(np.isnan(flat), nearest(depth), flat)


@pytest.mark.parametrize("every_row", [4, 7, 12])
def test_better_than_nearest_neighbour_and_straight_lines(every_row):
    image, truth = street()
    depth = scan_lines(truth, every_row)
    ours = Classical()(given(image, depth)).depth_m
    counted = (truth > 0) & (truth < 60)
    assert (ours[counted] > 0).mean() > 0.995
    for simple in (nearest(depth), linear(depth)):
        for pixels in (counted, counted & near_edges(truth)):
            pixels = pixels & (ours > 0)
            error, other = np.abs(ours - truth)[pixels], np.abs(simple - truth)[pixels]
            assert error.mean() < 0.8 * other.mean()
            assert np.square(error).mean() < np.square(other).mean()


def test_outlines_follow_the_image():
    """A box between two scan lines ends where its colour ends."""
    image, truth = street()
    ours = Classical()(given(image, scan_lines(truth, 9))).depth_m
    box = np.zeros(truth.shape, bool)
    box[42:60, 22:48] = True
    np.testing.assert_allclose(ours[box], 8.0, rtol=0.02)
    beside = ours[46:56, 53:60]
    assert (beside > 10).all() or np.abs(beside / truth[46:56, 53:60] - 1).max() < 0.1


def test_planes_are_exact():
    """Inverse depth is linear on a plane: between scan lines, and below the lowest."""
    _, truth = street()
    truth[:41] = 0
    truth[41:] = 1.5 * 120 / (np.arange(41, 90)[:, None] - 40)
    depth = scan_lines(truth, 10)
    ours = Classical()(given(np.full((*truth.shape, 3), 90, np.uint8), depth)).depth_m
    known = np.flatnonzero(depth.any(axis=1))
    # In the uppermost scan line itself there is nothing above, and what is beside and below is averaged.
    np.testing.assert_allclose(ours[known[0]], truth[known[0]], rtol=1e-2)
    np.testing.assert_allclose(ours[known[0] + 1 :], truth[known[0] + 1 :], rtol=2e-3)


def test_sky_stays_unknown_and_a_bright_wall_does_not():
    image, truth = street()
    done = Classical()(given(image, scan_lines(truth)))
    sky = truth == 0
    inner = cv2.erode(sky.astype(np.uint8), np.ones((11, 11), np.uint8)) > 0
    assert not done.depth_m[inner].any()
    assert not done.uncertainty_m[inner].any()
    image[truth > 0] = 230
    done = Classical()(given(image, scan_lines(truth)))
    assert (done.depth_m[(truth > 0) & (truth < 60)] > 0).mean() > 0.98


def test_measured_pixels_are_untouched():
    image, truth = street()
    depth = np.where(np.random.default_rng(0).random(truth.shape) < 0.3, truth * np.float32(1.01), 0).astype(np.float32)
    done = Classical()(given(image, depth))
    np.testing.assert_array_equal(done.depth_m[depth > 0], depth[depth > 0])


def test_all_known_is_given_back():
    image, truth = street()
    truth[truth == 0] = 77
    np.testing.assert_array_equal(Classical()(given(image, truth)).depth_m, truth)


def test_nothing_known_gives_nothing():
    image, truth = street()
    done = Classical()(given(image, np.zeros_like(truth)))
    assert not done.depth_m.any()
    assert not done.uncertainty_m.any()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -3.0, 1e-30])
def test_what_is_no_depth_is_unknown(value):
    image, truth = street()
    depth = scan_lines(truth)
    wanted = Classical()(given(image, depth)).depth_m
    depth[depth == 0] = value
    done = Classical()(SparseDepth(image, depth, np.where(scan_lines(truth) > 0, 1, 0).astype(np.uint8)))
    np.testing.assert_array_equal(done.depth_m, wanted)
    assert np.isfinite(done.uncertainty_m).all()


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (1, 1), (1, 40), (40, 1), (2, 3)])
@pytest.mark.parametrize("depth_m", [0.0, 12.0])
def test_tiny_images(shape, depth_m):
    depth = np.zeros(shape, np.float32)
    depth.flat[: 1 if depth_m else 0] = depth_m
    done = Classical()(given(np.full((*shape, 3), 60, np.uint8), depth))
    assert done.depth_m.shape == shape
    np.testing.assert_allclose(done.depth_m, depth_m if depth.size else 0, rtol=1e-6)
    assert (done.uncertainty_m > 0).all() == (depth_m > 0 or depth.size == 0)


def test_images_of_several_sizes_in_turn():
    """What one image leaves behind never shows in the next."""
    image, truth = street()
    small = given(np.ascontiguousarray(image[:50, :70]), np.ascontiguousarray(scan_lines(truth)[:50, :70]))
    large = given(image, scan_lines(truth))
    method = Classical()
    first = [method(g) for g in (small, large, small)]
    fresh = [Classical()(g) for g in (small, large, small)]
    for a, b in zip(first, fresh, strict=True):
        np.testing.assert_array_equal(a.depth_m, b.depth_m)
        np.testing.assert_array_equal(a.uncertainty_m, b.uncertainty_m)


def test_uncertainty_knows_the_error():
    image, truth = street()
    done = Classical()(given(image, scan_lines(truth, 9)))
    counted = (truth > 0) & (done.depth_m > 0)
    error, sigma = np.abs(done.depth_m - truth)[counted], done.uncertainty_m[counted]
    assert (sigma > 0).all()
    sure = sigma <= np.quantile(sigma, 0.8)
    assert np.square(error[sure]).mean() < 0.2 * np.square(error).mean()
    assert (error < sigma).mean() > 0.6


def test_methods_by_name(tmp_path):
    assert isinstance(open_method("classical"), Classical)
    with pytest.raises(InputError, match="no completion method 'magic'; there is classical, network"):
        open_method("magic")
    with pytest.raises(InputError, match="takes no --checkpoint"):
        open_method("classical", tmp_path / "weights")


def test_what_does_not_fit_is_refused():
    image, depth, source = np.zeros((4, 5, 3), np.uint8), np.zeros((4, 5), np.float32), np.zeros((4, 5), np.uint8)
    for bad in (
        (image[:3], depth, source), (image, depth, source[:3]), (image, depth.astype(float), source),
        (image.astype(float), depth, source), (image, depth, source + np.uint8(7)), (image[..., 0], depth, source),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"fit|must be|code"):
            SparseDepth(*bad)
    with pytest.raises(ValueError, match="do not fit"):
        CompletedDepth(depth, depth[:3])
