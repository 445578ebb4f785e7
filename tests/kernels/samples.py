"""A small camera and random surfels before it."""

from __future__ import annotations

import numpy as np

from densegt.kernels.frustum import Pinhole
from densegt.kernels.surfel import COLUMNS, ProjectedSurfels, SurfelGeometry, project_surfels

H, W = 24, 32
K = np.array([[20.0, 0, 15.3], [0, 21.0, 11.7], [0, 0, 1]])
CAMERA = Pinhole(K, W, H)


def random_surfels(seed: int, n: int) -> SurfelGeometry:
    rng = np.random.default_rng(seed)
    z = rng.uniform(0.5, 20, n)
    xyz = np.stack([rng.uniform(-1.2, 1.2, n) * z, rng.uniform(-0.9, 0.9, n) * z, z], axis=1).astype(np.float32)
    tangents = rng.normal(size=(n, 2, 3))
    tangents /= np.linalg.norm(tangents, axis=2, keepdims=True)
    half_m = rng.uniform(0.05, 1.5, (n, 4))
    return SurfelGeometry(xyz, tangents.astype(np.float32), half_m.astype(np.float32))


def facing_surfels(xyz: list[list[float]], half_m: list[list[float]]) -> SurfelGeometry:
    """Surfels parallel to the image."""
    tangents = np.tile(np.eye(3, dtype=np.float32)[:2], (len(xyz), 1, 1))
    return SurfelGeometry(np.array(xyz, np.float32), tangents, np.array(half_m, np.float32))


def project(surfels: SurfelGeometry, reach_px: float = 9, camera: Pinhole = CAMERA, kernel=project_surfels, **factors):
    """Those that cover pixels; `factors` are trust and share, else ones."""
    n = len(surfels.xyz_cam)
    trust, share = (factors.get(name, np.ones(n, np.float32)) for name in ("trust", "share"))
    out = ProjectedSurfels(
        np.full((n, COLUMNS), 77, np.float32), np.full((n, 4), 77, np.int32), np.full(n, -9, np.int32)
    )
    count = kernel(surfels, trust, share, np.full(n, reach_px, np.float32), camera, out)
    return ProjectedSurfels._make(array[:count] for array in out)


def every(surfels: ProjectedSurfels) -> np.ndarray:
    return np.arange(len(surfels.rows), dtype=np.int32)


def assert_mostly_close(got: np.ndarray, wanted: np.ndarray, share: float = 0.0) -> None:
    """Equal but for at most `share` of the values, where a border falls on a pixel's centre in one precision only."""
    close = np.isclose(got, wanted, rtol=2e-4, atol=1e-4) | (got == wanted)
    assert (~close).sum() <= share * close.size, (~close).sum()
