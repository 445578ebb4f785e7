"""Lens distortion against OpenCV's own formulas, and straight lines made straight again."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from densegt.geometry import camera
from densegt.geometry.distortion import Distortion, undistort

WIDTH, HEIGHT = 160, 90
K = np.array([[110.0, 0, 82.0], [0, 108.0, 44.0], [0, 0, 1]])
LENSES = [
    ("opencv", (-0.25, 0.06, 0.002, -0.001)),
    ("opencv", (-0.3, 0.1, 0.001, 0.0005, -0.01)),
    ("opencv", (0.1, -0.02, 0.0, 0.001, 0.003, 0.35, 0.01, 0.002)),
    ("fisheye", (0.05, -0.01, 0.002, 0.0)),
]


def through_the_lens(xyz, model, coefficients):
    """OpenCV's projection."""
    if model == "fisheye":
        return cv2.fisheye.projectPoints(xyz[:, None], np.zeros(3), np.zeros(3), K, np.array(coefficients))[0][:, 0]
    return cv2.projectPoints(xyz, np.zeros(3), np.zeros(3), K, np.array(coefficients))[0][:, 0]


@pytest.mark.parametrize(("model", "coefficients"), LENSES)
def test_points_are_seen_where_opencv_sees_them(model, coefficients):
    rng = np.random.default_rng(0)
    xy = np.concatenate([rng.uniform(-0.7, 0.7, (200, 2)), np.zeros((1, 2))])
    expected = through_the_lens(np.c_[xy, np.ones(len(xy))], model, coefficients)
    np.testing.assert_allclose(Distortion.about(K, model, coefficients).distort(xy), expected, atol=1e-8)


def taken(distortion, picture):
    """An image (H,W) as the lens takes it: each of its pixels from where its light came, found by iteration."""
    v, u = np.mgrid[:HEIGHT, :WIDTH].astype(float)
    seen = np.stack([u, v], -1).reshape(-1, 2)
    xy = (seen - K[:2, 2]) / [K[0, 0], K[1, 1]]
    start = xy.copy()
    for _ in range(60):
        xy += 0.7 * (seen - distortion.distort(xy)) / [K[0, 0], K[1, 1]]
    assert np.abs(xy - start).max() > 0.02
    return picture(xy).reshape(HEIGHT, WIDTH).astype(np.uint8)


def lines(xy):
    """Smooth stripes that run straight across the plane z = 1."""
    return 128 + 100 * np.sin(40 * xy[:, 0] + 9 * xy[:, 1])


@pytest.mark.parametrize(("model", "coefficients"), LENSES)
def test_straight_lines_are_straight_again(model, coefficients):
    distortion = Distortion.about(K, model, coefficients)
    straight = lines(camera.rays(K, WIDTH, HEIGHT)[..., :2].reshape(-1, 2)).reshape(HEIGHT, WIDTH)
    bent = taken(distortion, lines)
    mended = undistort(bent, distortion)
    seen = mended > 0
    assert seen.mean() > 0.6
    assert np.abs(mended[seen] - straight[seen]).mean() < 4
    assert np.abs(bent[seen].astype(float) - straight[seen]).mean() > 12
    colour = undistort(np.repeat(bent[..., None], 3, 2), distortion)
    np.testing.assert_array_equal(colour[..., 1], mended)


def test_no_coefficient_changes_no_pixel():
    image = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    np.testing.assert_array_equal(undistort(image, Distortion.about(K, "opencv", (0.0, 0, 0, 0))), image)


def test_where_the_lens_folds_nothing_is_shown_twice():
    distortion = Distortion.about(K, "opencv", (-0.9, 0.0, 0.0, 0.0))
    edge = distortion.largest_radius(2.0)
    assert edge == pytest.approx(np.sqrt(1 / (3 * 0.9)), abs=2e-3)
    mended = undistort(np.full((HEIGHT, WIDTH), 200, np.uint8), distortion)
    r = np.linalg.norm(camera.rays(K, WIDTH, HEIGHT)[..., :2], axis=-1)
    assert not mended[r > edge].any()
    assert (mended[r < edge - 2e-3] == 200).all()


@pytest.mark.parametrize(
    ("model", "coefficients", "why"),
    [
        ("opencv", (0.1, 0.2, 0.3), "4 or 5 or 8"),
        ("fisheye", (0.1,) * 5, "4 finite"),
        ("opencv", (np.nan,) * 4, "finite"),
        ("brown", (0.1,) * 4, "none of opencv, fisheye"),
    ],
)
def test_other_coefficients_are_refused(model, coefficients, why):
    with pytest.raises(ValueError, match=why):
        Distortion.about(K, model, coefficients)


def test_what_leaves_little_of_the_image_is_refused():
    with pytest.raises(ValueError, match="in OpenCV's order"):
        Distortion.about(K, "opencv", (-8.0, 0.0, 0.0, 0.0)).check(WIDTH, HEIGHT)
    skewed = K.copy()
    skewed[0, 1] = 2
    with pytest.raises(ValueError, match="skew 2 px"):
        Distortion.about(skewed, "opencv", (0.1, 0, 0, 0))
