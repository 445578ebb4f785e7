"""Rigid transforms `T_dst_src` as (4,4) float64 matrices: x_dst = T_dst_src @ x_src."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float64 = NDArray[np.float64]


def from_quaternion(rotation_wxyz: ArrayLike, translation_m: ArrayLike) -> Float64:
    """Build T_dst_src (4,4) from a quaternion (w,x,y,z), normalised here, and a translation (3,) in metres.

    Raises:
        ValueError: a value is not finite, or the quaternion has no length.
    """
    q = np.asarray(rotation_wxyz, dtype=np.float64)
    t = np.asarray(translation_m, dtype=np.float64)
    norm = float(np.linalg.norm(q)) if q.shape == (4,) else np.nan
    if t.shape != (3,) or not np.isfinite(t).all() or not np.isfinite(norm) or norm < 1e-9:
        raise ValueError(f"not a pose: rotation {q.tolist()}, translation {t.tolist()}")
    w, x, y, z = q / norm
    T = np.eye(4)
    T[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    T[:3, 3] = t
    return T


def from_quaternions(rotations_wxyz: Float64, translations_m: Float64) -> Float64:
    """T_dst_src (N,4,4) from quaternions (N,4), normalised here, and translations (N,3) in metres.

    Raises:
        ValueError: a value is not finite, or a quaternion has no length; it names the row.
    """
    with np.errstate(over="ignore"):
        norms = np.linalg.norm(rotations_wxyz, axis=1)
    sound = np.isfinite(norms) & (norms >= 1e-9) & np.isfinite(translations_m).all(axis=1)
    if not sound.all():
        row = int(np.argmin(sound))
        raise ValueError(
            f"row {row + 1}: not a pose: rotation {rotations_wxyz[row].tolist()}, "
            f"translation {translations_m[row].tolist()}"
        )
    w, x, y, z = (rotations_wxyz / norms[:, None]).T
    T = np.zeros((len(norms), 4, 4))
    T[:, 0, :3] = np.stack([1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)], axis=1)
    T[:, 1, :3] = np.stack([2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)], axis=1)
    T[:, 2, :3] = np.stack([2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)], axis=1)
    T[:, :3, 3] = translations_m
    T[:, 3, 3] = 1.0
    return T


def to_quaternion(T_dst_src: Float64) -> Float64:
    """Rotation of T_dst_src as (w,x,y,z), w >= 0."""
    from scipy.spatial.transform import Rotation

    x, y, z, w = Rotation.from_matrix(T_dst_src[:3, :3]).as_quat()
    q = np.array([w, x, y, z])
    return -q if w < 0 else q


def from_yaw(yaw_rad: float, translation_m: ArrayLike) -> Float64:
    """T_dst_src for a turn about z by `yaw_rad`, then a translation (3,) in metres."""
    c, s = np.cos(yaw_rad), np.sin(yaw_rad)
    T = np.eye(4)
    T[:2, :2] = [[c, -s], [s, c]]
    T[:3, 3] = np.asarray(translation_m, dtype=np.float64)
    return T


def inverse(T_dst_src: Float64) -> Float64:
    """T_src_dst, by transposing the rotation; works on (...,4,4)."""
    out = np.zeros_like(T_dst_src)
    R_t = np.swapaxes(T_dst_src[..., :3, :3], -1, -2)
    out[..., :3, :3] = R_t
    out[..., :3, 3] = -np.einsum("...ij,...j->...i", R_t, T_dst_src[..., :3, 3])
    out[..., 3, 3] = 1.0
    return out


def apply(T_dst_src: Float64, xyz_src: NDArray[np.floating[Any]]) -> Float64:
    """Map points (N,3) from src to dst, in float64."""
    xyz_dst: Float64 = np.asarray(xyz_src, dtype=np.float64) @ T_dst_src[:3, :3].T + T_dst_src[:3, 3]
    return xyz_dst


def interpolate(T_a: Float64, T_b: Float64, fraction: NDArray[np.float64]) -> Float64:
    """Poses (N,4,4) at `fraction` (N,) between T_a (0) and T_b (1): linear translation, slerp rotation."""
    from scipy.spatial.transform import Rotation

    delta = Rotation.from_matrix(T_a[:3, :3].T @ T_b[:3, :3]).as_rotvec()
    out = np.zeros((len(fraction), 4, 4))
    out[:, :3, :3] = T_a[:3, :3] @ Rotation.from_rotvec(fraction[:, None] * delta).as_matrix()
    out[:, :3, 3] = T_a[:3, 3] + fraction[:, None] * (T_b[:3, 3] - T_a[:3, 3])
    out[:, 3, 3] = 1.0
    return out
