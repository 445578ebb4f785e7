import numpy as np

from densegt.depth.edges import depth_edges, near_edges


def ground(height=60, width=40):
    row = np.arange(height, dtype=np.float32)[:, None]
    return np.broadcast_to(1.5 * 600 / (row + 6), (height, width)).astype(np.float32)


def test_grazing_ground_is_no_edge():
    depth = ground()
    assert np.abs(np.diff(depth, axis=0)).max() > 10
    assert not depth_edges(depth).any()
    assert not depth_edges(depth.T).any()
    assert not depth_edges(np.rint(depth * 256) / 256).any()


def test_a_box_on_the_ground_is_outlined_on_both_sides():
    depth = ground().copy()
    depth[5:30, 10:20] = depth[30, 0]  # stands at row 30, so its foot meets the ground
    edge = depth_edges(depth)
    expected = np.zeros_like(edge)
    expected[5:28, [9, 10, 19, 20]] = True
    expected[[4, 5], 10:20] = True
    # Near the foot the ground behind comes within the tolerance of the box.
    foot = slice(25, 30)
    assert (np.delete(edge, range(*foot.indices(60)), 0) == np.delete(expected, range(*foot.indices(60)), 0)).all()


def test_a_pole_one_pixel_wide_is_an_edge():
    depth = np.full((3, 9), 20, dtype=np.float32)
    depth[:, 4] = 10
    assert (depth_edges(depth)[1] == [0, 0, 0, 1, 1, 1, 0, 0, 0]).all()


def test_a_step_within_tolerance_is_none_and_sky_is_none():
    depth = np.full((3, 6), 20, dtype=np.float32)
    depth[:, 3:] = 21
    assert not depth_edges(depth).any()
    depth[:, 3:] = 21.1
    assert depth_edges(depth).any()
    depth[:, 3:] = 0
    assert not depth_edges(depth).any()


def test_near_is_a_disc():
    depth = np.full((31, 31), 20, dtype=np.float32)
    depth[15, 15] = 5
    near = near_edges(depth, radius_px=5)
    row, col = np.nonzero(depth_edges(depth))
    assert len(row) == 5
    y, x = np.mgrid[0:31, 0:31]
    distance = np.sqrt((y[..., None] - row) ** 2 + (x[..., None] - col) ** 2).min(axis=-1)
    assert (near == (distance <= 5)).all()


def test_empty_and_tiny():
    for shape in ((0, 0), (1, 1), (1, 2), (2, 1), (2, 2)):
        assert not near_edges(np.full(shape, 7, dtype=np.float32)).any()
    assert depth_edges(np.array([[7, 9]], dtype=np.float32)).all()
