import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from densegt.geometry import boxes, se3

SIZE_LWH_M = np.array([4.0, 2.0, 1.5])


def test_corners_by_hand() -> None:
    xyz = boxes.corners(np.eye(4), SIZE_LWH_M)
    assert xyz.shape == (8, 3)
    np.testing.assert_array_equal(xyz[0], [2, 1, 0.75])
    np.testing.assert_array_equal(xyz[:4, 0], 2)
    np.testing.assert_array_equal(xyz[4:, 0], -2)
    assert len(np.unique(xyz, axis=0)) == 8


def test_corners_of_a_turned_box() -> None:
    # Facing left (+y) at (10, 20): its length lies along y.
    xyz = boxes.corners(se3.from_yaw(np.pi / 2, (10, 20, 1)), SIZE_LWH_M)
    np.testing.assert_allclose(xyz.min(axis=0), [9, 18, 0.25])
    np.testing.assert_allclose(xyz.max(axis=0), [11, 22, 1.75])
    np.testing.assert_allclose(xyz[:4, 1], 22)


@pytest.mark.parametrize(
    ("xyz_box", "inside"),
    [
        ((0, 0, 0), True),
        ((2, 1, 0.75), True),  # a corner
        ((2, 0, 0), True),  # a face
        ((2.001, 0, 0), False),
        ((0, 1.001, 0), False),
        ((0, 0, -0.751), False),
        ((0, 1.5, 0), False),  # would be inside, were length and width exchanged
        ((np.nan, 0, 0), False),
    ],
)
def test_contains(xyz_box: tuple[float, ...], inside: bool) -> None:
    assert boxes.contains(np.array([xyz_box]), SIZE_LWH_M).tolist() == [inside]


@given(yaw_rad=st.floats(-4, 4), scale=st.floats(0, 2))
def test_corners_and_contains_agree(yaw_rad: float, scale: float) -> None:
    T_global_box = se3.from_yaw(yaw_rad, (1000, -500, 3))
    xyz_box = se3.apply(se3.inverse(T_global_box), boxes.corners(T_global_box, SIZE_LWH_M * scale))
    inside = boxes.contains(xyz_box * (1 - 1e-9), SIZE_LWH_M)
    assert (inside == (scale <= 1)).all() or scale == pytest.approx(1, abs=1e-6)
