"""Augmentation: what happens to pixels happens to K, what happens to the ground plane happens to boxes."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.detection.data.augment import BevRanges, ImageRanges, bev_affine, boxes_under, image_affine
from densegt.detection.data.depth_layers import DepthLayers
from densegt.detection.data.warp import inverse, warp_image, warp_points, warp_surface
from densegt.geometry import boxes as box_geometry
from densegt.geometry import se3

ALL = ImageRanges((0.8, 1.3), (0.0, 0.2), (-20, 20), 0.5, True)
BEV = BevRanges((-40, 40), (0.9, 1.1), 0.5, 0.5)


def layers_of(depth_m, seed=0):
    rng = np.random.default_rng(seed)
    known = depth_m > 0
    source = np.where(known, rng.integers(1, 5, depth_m.shape), 0).astype(np.uint8)
    return DepthLayers(
        depth_m.astype(np.float32), source, np.where(known, rng.random(depth_m.shape), 0).astype(np.float32)
    )


def slow_points(layers, A, to_px):
    """Twin of `warp_points`, pixel by pixel."""
    out = DepthLayers.unknown(to_px)
    for v, u in zip(*np.nonzero(layers.depth_m), strict=True):
        x, y, _ = A @ [u, v, 1]
        column, row = int(np.floor(x + 0.5)), int(np.floor(y + 0.5))
        if 0 <= column < to_px[1] and 0 <= row < to_px[0]:
            there = out.depth_m[row, column]
            if there == 0 or layers.depth_m[v, u] < there:
                for made, given in zip(out, layers, strict=True):
                    made[row, column] = given[v, u]
    return out


def slow_surface(layers, A, to_px):
    """Twin of `warp_surface`."""
    out = DepthLayers.unknown(to_px)
    for row in range(to_px[0]):
        for column in range(to_px[1]):
            x, y, _ = np.linalg.inv(A) @ [column, row, 1]
            u, v = int(np.floor(x + 0.5)), int(np.floor(y + 0.5))
            if 0 <= u < layers.depth_m.shape[1] and 0 <= v < layers.depth_m.shape[0]:
                for made, given in zip(out, layers, strict=True):
                    made[row, column] = given[v, u]
    return out


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("fast", "slow"), [(warp_points, slow_points), (warp_surface, slow_surface)])
@pytest.mark.parametrize("share", [0.0, 0.1, 1.0])
def test_depth_goes_where_the_twin_says(seed, fast, slow, share):
    rng = np.random.default_rng(seed)
    depth = np.where(rng.random((30, 50)) < share, rng.uniform(1, 60, (30, 50)), 0)
    A = image_affine((30, 50), (16, 32), ALL, rng)
    for made, wanted in zip(fast(layers_of(depth), A, (16, 32)), slow(layers_of(depth), A, (16, 32)), strict=True):
        np.testing.assert_array_equal(made, wanted)


def test_without_a_draw_the_picture_is_scaled_and_cut_at_the_top():
    A = image_affine((90, 160), (32, 80), ImageRanges(), None)
    # Half the size is 45x80; the lowest 32 rows stay.
    np.testing.assert_allclose(A, [[0.5, 0, -0.25], [0, 0.5, -0.25 - 13], [0, 0, 1]])


@pytest.mark.parametrize("seed", range(8))
def test_a_white_pixel_lands_where_the_map_says(seed):
    rng = np.random.default_rng(seed)
    A = image_affine((60, 80), (48, 64), ALL, rng)
    u, v = rng.integers(30, 50), rng.integers(35, 45)
    image = np.zeros((60, 80, 3), np.uint8)
    image[v - 1 : v + 2, u - 1 : u + 2] = 255
    warped = warp_image(image, A, (48, 64)).sum(-1).astype(float)
    x, y, _ = A @ [u, v, 1]
    if 3 < x < 60 and 3 < y < 44:
        rows, columns = np.mgrid[:48, :64]
        centre = (warped * columns).sum() / warped.sum(), (warped * rows).sum() / warped.sum()
        np.testing.assert_allclose(centre, (x, y), atol=0.3)


def test_a_flip_is_exact():
    image = np.random.default_rng(0).integers(0, 255, (8, 10, 3), dtype=np.uint8)
    A = image_affine((8, 10), (8, 10), ImageRanges(flip=1.0), np.random.default_rng(0))
    np.testing.assert_array_equal(warp_image(image, A, (8, 10)), image[:, ::-1])
    np.testing.assert_allclose(inverse(A), np.linalg.inv(A), atol=1e-12)


@pytest.mark.parametrize("seed", range(8))
def test_boxes_move_with_the_ground_plane(seed):
    rng = np.random.default_rng(seed)
    A = bev_affine(BEV, rng)
    box = np.array([[*rng.uniform(-20, 20, 3), *rng.uniform(1, 5, 3), rng.uniform(-3, 3), *rng.uniform(-5, 5, 2)]])
    moved = boxes_under(A, box)

    def corners(b):
        return box_geometry.corners(se3.from_yaw(b[6], b[:3]), b[3:6])

    wanted = se3.apply(A, corners(box[0]))
    # A mirror changes left and right corners over.
    found = corners(moved[0])
    for corner in wanted:
        assert np.linalg.norm(found - corner, axis=1).min() < 1e-9
    ahead, ahead_before = found[:4].mean(0) - found[4:].mean(0), wanted[:4].mean(0) - wanted[4:].mean(0)
    np.testing.assert_allclose(ahead, ahead_before, atol=1e-9)
    np.testing.assert_allclose(moved[0, 7:], A[:2, :2] @ box[0, 7:])


def test_unknown_velocities_stay_unknown():
    box = np.array([[0, 0, 0, 1, 1, 1, 0, np.nan, np.nan]])
    assert np.isnan(boxes_under(bev_affine(BEV, np.random.default_rng(0)), box)[0, 7:]).all()
