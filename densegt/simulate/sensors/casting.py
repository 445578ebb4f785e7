"""Casting rays at triangles with Embree, through open3d."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from densegt.errors import InputError
from densegt.install_hint import install_command
from densegt.kernels.threads import thread_count
from densegt.simulate.meshes.mesh import Mesh

Float32 = NDArray[np.float32]


class Hits(NamedTuple):
    """What rays (R,) meet first.

    Attributes:
        range_m: (R,) float32, inf = nothing; triangle: (R,) of the world's triangles, -1 = nothing.
        normal: (R,3) float32 unit, of either sign; bary: (R,2) float32 weights of a triangle's second and third corner.
    """

    range_m: Float32
    triangle: NDArray[np.int64]
    normal: Float32
    bary: Float32

    def at(self, which: NDArray[np.int64]) -> Hits:
        """The answers of some rays (K,)."""
        return Hits(self.range_m[which], self.triangle[which], self.normal[which], self.bary[which])

    def copy(self) -> Hits:
        """The same in memory of its own."""
        return Hits(self.range_m.copy(), self.triangle.copy(), self.normal.copy(), self.bary.copy())


class Caster:
    """Triangles prepared for casting; `first` is the number of the first one among the world's."""

    def __init__(self, mesh: Mesh, first: int) -> None:
        o3d = _open3d()
        self._core, self.first, self.empty = o3d.core, first, len(mesh.triangles) == 0
        self._scene = o3d.t.geometry.RaycastingScene(nthreads=1)
        if not self.empty:
            self._scene.add_triangles(
                o3d.core.Tensor(np.ascontiguousarray(mesh.vertices, dtype=np.float32)),
                o3d.core.Tensor(np.ascontiguousarray(mesh.triangles, dtype=np.uint32)),
            )

    def cast(self, origins: Float32, directions: Float32) -> Hits:
        """What rays from origins (R,3) along unit directions (R,3) meet first."""
        return self.cast_packed(packed(origins, directions))

    def cast_packed(self, rays: Float32) -> Hits:
        """The same for rays (R,6), origins beside directions."""
        if self.empty or len(rays) == 0:
            return no_hits(len(rays))
        found = self._scene.cast_rays(self._core.Tensor(rays), nthreads=thread_count())
        range_m: Float32 = found["t_hit"].numpy()
        triangle = found["primitive_ids"].numpy().astype(np.int64) + self.first
        triangle[~np.isfinite(range_m)] = -1
        return Hits(range_m, triangle, found["primitive_normals"].numpy(), found["primitive_uvs"].numpy())

    def blocked(self, origins: Float32, directions: Float32) -> NDArray[np.bool_]:
        """Whether rays (R,) meet anything."""
        if self.empty or len(directions) == 0:
            return np.zeros(len(directions), dtype=bool)
        found: NDArray[np.bool_] = self._scene.test_occlusions(
            self._core.Tensor(packed(origins, directions)), nthreads=thread_count()
        ).numpy()
        return found


def packed(origins: Float32, directions: Float32) -> Float32:
    """Rays (R,6) of origins (R,3) or (3,) and directions (R,3)."""
    rays = np.empty((len(directions), 6), dtype=np.float32)
    rays[:, :3], rays[:, 3:] = origins, directions
    return rays


def no_hits(rays: int) -> Hits:
    """Rays that meet nothing."""
    return Hits(
        np.full(rays, np.inf, dtype=np.float32), np.full(rays, -1, dtype=np.int64), np.zeros((rays, 3), np.float32),
        np.zeros((rays, 2), np.float32),
    )  # fmt: skip


def put_nearer(hits: Hits, rays: NDArray[np.int64], other: Hits) -> None:
    """Replace answers of some rays (K,) by nearer ones, in place."""
    closer = other.range_m < hits.range_m[rays]
    at = rays[closer]
    hits.range_m[at], hits.triangle[at] = other.range_m[closer], other.triangle[closer]
    hits.normal[at], hits.bary[at] = other.normal[closer], other.bary[closer]


def _open3d() -> Any:
    try:
        import open3d
    except ImportError as error:
        raise InputError(
            f"the city is cast by open3d, which does not import ({error}); "
            f"{install_command('cloud')}, or simulate with --street simple"
        ) from None
    return open3d
