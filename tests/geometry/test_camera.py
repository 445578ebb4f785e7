import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from densegt.geometry.camera import project, rays, unproject

K = np.array([[100.0, 0, 50], [0, 200, 40], [0, 0, 1]])


def test_project_by_hand() -> None:
    xyz_cam = np.array([[0.0, 0, 10], [1, 2, 10], [-1, -0.5, 5], [1, 2, 20]])
    uv, z = project(K, xyz_cam)
    np.testing.assert_allclose(uv, [[50, 40], [60, 80], [30, 20], [55, 60]])
    np.testing.assert_array_equal(z, [10, 10, 5, 20])


def test_project_with_skew() -> None:
    skewed = K.copy()
    skewed[0, 1] = 10
    uv, _ = project(skewed, np.array([[1.0, 2, 10]]))
    np.testing.assert_allclose(uv, [[62, 80]])


def test_points_at_or_behind_the_camera_have_no_pixel() -> None:
    uv, z = project(K, np.array([[1.0, 1, 0], [1, 1, -3], [0, 0, 1e-9]]))
    assert np.isnan(uv[:2]).all()
    np.testing.assert_allclose(uv[2], [50, 40])
    np.testing.assert_array_equal(z, [0, -3, 1e-9])


def test_no_points() -> None:
    uv, z = project(K, np.zeros((0, 3)))
    assert uv.shape == (0, 2)
    assert z.shape == (0,)


def test_rays_go_through_pixel_centres_at_integers() -> None:
    direction = rays(K, width_px=64, height_px=48)
    assert direction.shape == (48, 64, 3)
    np.testing.assert_array_equal(direction[40, 50], [0, 0, 1])
    np.testing.assert_allclose(direction[0, 0], [-0.5, -0.2, 1])
    np.testing.assert_allclose(direction[47, 63], [0.13, 0.035, 1])


@given(
    focal=st.tuples(st.floats(10, 3000), st.floats(10, 3000)),
    centre=st.tuples(st.floats(-100, 100), st.floats(-100, 100)),
    skew=st.floats(-50, 50),
    depth=st.floats(0.1, 250),
)
def test_unproject_then_project_is_the_pixel(
    focal: tuple[float, float], centre: tuple[float, float], skew: float, depth: float
) -> None:
    K_any = np.array([[focal[0], skew, centre[0]], [0, focal[1], centre[1]], [0, 0, 1]])
    depth_m = np.full((5, 7), depth, dtype=np.float32)
    uv, z = project(K_any, unproject(K_any, depth_m).reshape(-1, 3))
    v, u = np.mgrid[0:5, 0:7]
    np.testing.assert_allclose(uv, np.stack([u.ravel(), v.ravel()], axis=1), atol=1e-8)
    np.testing.assert_allclose(z, depth_m.ravel())


def test_unproject_gives_z_depth_not_range() -> None:
    depth_m = np.zeros((48, 64), dtype=np.float32)
    depth_m[0, 0] = 10
    xyz_cam = unproject(K, depth_m)
    np.testing.assert_allclose(xyz_cam[0, 0], [-5, -2, 10])
    assert not xyz_cam[1:].any()
