import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from densegt.geometry import se3

HALF = np.sqrt(0.5)

coordinates = st.floats(-1e4, 1e4)
translations = hnp.arrays(np.float64, 3, elements=coordinates)
quaternions = hnp.arrays(np.float64, 4, elements=st.floats(-1, 1)).filter(lambda q: np.linalg.norm(q) > 0.1)
poses = st.builds(se3.from_quaternion, quaternions, translations)
clouds = hnp.arrays(np.float64, st.tuples(st.integers(0, 5), st.just(3)), elements=coordinates)


@pytest.mark.parametrize(
    ("rotation_wxyz", "xyz_dst_of_x", "xyz_dst_of_y"),
    [
        ((1, 0, 0, 0), (1, 0, 0), (0, 1, 0)),
        ((HALF, 0, 0, HALF), (0, 1, 0), (-1, 0, 0)),  # a quarter turn left about z
        ((HALF, HALF, 0, 0), (1, 0, 0), (0, 0, 1)),  # a quarter turn about x lifts y to z
        ((HALF, 0, HALF, 0), (0, 0, -1), (0, 1, 0)),  # about y: x goes down
        ((0, 0, 0, 1), (-1, 0, 0), (0, -1, 0)),  # half a turn
        ((2, 0, 0, 2), (0, 1, 0), (-1, 0, 0)),  # not normalised
        ((-HALF, 0, 0, -HALF), (0, 1, 0), (-1, 0, 0)),  # the same turn with the other sign
    ],
)
def test_from_quaternion_by_hand(
    rotation_wxyz: tuple[float, ...], xyz_dst_of_x: tuple[float, ...], xyz_dst_of_y: tuple[float, ...]
) -> None:
    T = se3.from_quaternion(rotation_wxyz, (10, 20, 30))
    moved = se3.apply(T, np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 0]]))
    expected = np.add([xyz_dst_of_x, xyz_dst_of_y, (0, 0, 0)], (10, 20, 30))
    np.testing.assert_allclose(moved, expected, atol=1e-12)
    np.testing.assert_array_equal(T[3], [0, 0, 0, 1])


@pytest.mark.parametrize(
    ("rotation_wxyz", "translation_m"),
    [
        ((0, 0, 0, 0), (0, 0, 0)),
        ((np.nan, 0, 0, 1), (0, 0, 0)),
        ((1, 0, 0, 0), (0, np.inf, 0)),
        ((1, 0, 0), (0, 0, 0)),
        ((1, 0, 0, 0), (0, 0)),
        ((1, 0, 0, 0), (0, 0, 0, 0)),
    ],
)
def test_from_quaternion_refuses_what_is_no_pose(
    rotation_wxyz: tuple[float, ...], translation_m: tuple[float, ...]
) -> None:
    with pytest.raises(ValueError, match="not a pose"):
        se3.from_quaternion(rotation_wxyz, translation_m)


def test_from_yaw_turns_left() -> None:
    T = se3.from_yaw(np.pi / 2, (1, 2, 3))
    np.testing.assert_allclose(se3.apply(T, np.array([[5.0, 0, 0]])), [[1, 7, 3]], atol=1e-12)
    np.testing.assert_allclose(T, se3.from_quaternion((HALF, 0, 0, HALF), (1, 2, 3)), atol=1e-12)


@given(poses, clouds)
def test_inverse_undoes(T_dst_src: NDArray[np.float64], xyz_src: NDArray[np.float64]) -> None:
    there_and_back = se3.apply(se3.inverse(T_dst_src), se3.apply(T_dst_src, xyz_src))
    np.testing.assert_allclose(there_and_back, xyz_src, atol=1e-8)
    np.testing.assert_allclose(T_dst_src @ se3.inverse(T_dst_src), np.eye(4), atol=1e-8)


@given(hnp.arrays(np.float64, (2, 3), elements=coordinates), quaternions, quaternions)
def test_inverse_of_a_stack_is_the_stack_of_inverses(
    translations_m: NDArray[np.float64], q0: NDArray[np.float64], q1: NDArray[np.float64]
) -> None:
    stack = np.stack([se3.from_quaternion(q0, translations_m[0]), se3.from_quaternion(q1, translations_m[1])])
    np.testing.assert_allclose(se3.inverse(stack), [se3.inverse(stack[0]), se3.inverse(stack[1])], atol=1e-9)


@given(quaternions, translations)
def test_quaternion_round_trip(q: NDArray[np.float64], t: NDArray[np.float64]) -> None:
    back = se3.to_quaternion(se3.from_quaternion(q, t))
    assert back[0] >= 0
    # q and -q are one rotation.
    assert abs(abs(back @ (q / np.linalg.norm(q))) - 1) < 1e-9


@given(poses)
def test_rotations_keep_lengths_and_handedness(T: NDArray[np.float64]) -> None:
    np.testing.assert_allclose(T[:3, :3] @ T[:3, :3].T, np.eye(3), atol=1e-12)
    assert np.linalg.det(T[:3, :3]) == pytest.approx(1)


def test_apply_works_in_float64() -> None:
    T_global_ego = se3.from_yaw(0, (1_000_000.123456, 0, 0))
    xyz_global = se3.apply(T_global_ego, np.array([[0.001, 0, 0]], dtype=np.float32))
    assert xyz_global.dtype == np.float64
    assert xyz_global[0, 0] == pytest.approx(1_000_000.124456, abs=1e-6)


def test_interpolate_by_hand() -> None:
    T_a, T_b = se3.from_yaw(0, (0, 0, 0)), se3.from_yaw(np.pi / 2, (4, 0, 2))
    middle, third = se3.interpolate(T_a, T_b, np.array([0.5, 1 / 3]))
    np.testing.assert_allclose(middle, se3.from_yaw(np.pi / 4, (2, 0, 1)), atol=1e-12)
    np.testing.assert_allclose(third, se3.from_yaw(np.pi / 6, (4 / 3, 0, 2 / 3)), atol=1e-12)


@given(poses, poses)
def test_interpolate_starts_and_ends_at_its_poses(T_a: NDArray[np.float64], T_b: NDArray[np.float64]) -> None:
    ends = se3.interpolate(T_a, T_b, np.array([0.0, 1.0]))
    np.testing.assert_allclose(ends[0], T_a, atol=1e-7)
    np.testing.assert_allclose(ends[1], T_b, atol=1e-7)


def test_interpolate_takes_the_short_way() -> None:
    T_a, T_b = se3.from_yaw(np.deg2rad(170), (0, 0, 0)), se3.from_yaw(np.deg2rad(-170), (0, 0, 0))
    (middle,) = se3.interpolate(T_a, T_b, np.array([0.5]))
    np.testing.assert_allclose(middle, se3.from_yaw(np.pi, (0, 0, 0)), atol=1e-12)
