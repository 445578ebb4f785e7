"""Simple meshes: quads, boxes, tubes, ellipsoids, discs."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from densegt.simulate.meshes.material import Material
from densegt.simulate.meshes.mesh import Colour, Mesh, grid_cells, join, two_triangles

Float64 = NDArray[np.float64]


def triangles(
    vertices: Float64, normals: Float64, uv: Float64, corners: NDArray[np.int64], material: Material, colour: ArrayLike
) -> Mesh:
    """A mesh of one material; colour (3,) or (T,3)."""
    count = len(corners)
    shade = np.broadcast_to(np.asarray(colour, dtype=np.float32), (count, 3)).copy()
    codes = np.full(count, int(material), dtype=np.uint8)
    return Mesh(vertices, normals, uv, corners, codes, shade, np.zeros(count, dtype=np.uint8))


def quads(corners: ArrayLike, material: Material, colour: ArrayLike, *, uv: Float64 | None = None) -> Mesh:
    """Flat quads (N,4,3), counter-clockwise from outside; colour (3,) or (N,3).

    Without uv (N,4,2) in m, textures run along the edges.
    """
    c = np.asarray(corners, dtype=np.float64).reshape(-1, 4, 3)
    u, v = c[:, 1] - c[:, 0], c[:, 3] - c[:, 0]
    normal = np.cross(u, v) + np.cross(c[:, 3] - c[:, 2], c[:, 1] - c[:, 2])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    if uv is None:
        lu, lv = np.linalg.norm(u, axis=1), np.linalg.norm(v, axis=1)
        zero = np.zeros_like(lu)
        uv = np.stack([np.stack(p, axis=-1) for p in ((zero, zero), (lu, zero), (lu, lv), (zero, lv))], axis=1)
        uv = uv + np.stack([c[:, 0, 0] + c[:, 0, 1], c[:, 0, 2]], axis=-1)[:, None]
    faces = two_triangles(4 * np.arange(len(c)), (0, 1, 2, 3))
    shade = np.asarray(colour, dtype=np.float32)
    shade = np.repeat(shade, 2, axis=0) if shade.ndim == 2 else shade
    return triangles(
        c.reshape(-1, 3), np.repeat(normal, 4, axis=0), np.asarray(uv).reshape(-1, 2), faces, material, shade
    )


_FACES = np.array(
    [[0, 2, 6, 4], [1, 5, 7, 3], [0, 4, 5, 1], [2, 3, 7, 6], [0, 1, 3, 2], [4, 6, 7, 5]]
)  # corner index = x + 2 y + 4 z ... as (x, y, z) bits of 1, 2, 4
_SIGNS = np.array([[(i & 1) * 2 - 1, (i >> 1 & 1) * 2 - 1, (i >> 2 & 1) * 2 - 1] for i in range(8)]) / 2


def boxes(middles: ArrayLike, sizes: ArrayLike, material: Material, colour: ArrayLike) -> Mesh:
    """Boxes along the axes: middles (N,3) and sizes (N,3) or (3,); colour (3,) or (N,3)."""
    middle = np.asarray(middles, dtype=np.float64).reshape(-1, 3)
    size = np.broadcast_to(np.asarray(sizes, dtype=np.float64), middle.shape)
    corners = middle[:, None] + _SIGNS * size[:, None]
    outward = corners[:, _FACES[:, ::-1]].reshape(-1, 4, 3)
    shade = np.asarray(colour, dtype=np.float32)
    return quads(outward, material, np.repeat(shade, 6, axis=0) if shade.ndim == 2 else shade)


def box(middle: ArrayLike, size: ArrayLike, material: Material, colour: Colour) -> Mesh:
    """One box."""
    return boxes(np.asarray(middle)[None], size, material, colour)


def tube(points: ArrayLike, radius: ArrayLike, material: Material, colour: Colour, *, sides: int = 8) -> Mesh:
    """A round tube along points (P,3), radius one or (P,), open at its ends unless the radius there is 0."""
    p = np.asarray(points, dtype=np.float64)
    r = np.broadcast_to(np.asarray(radius, dtype=np.float64), len(p))
    along = np.gradient(p, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-12)
    helper = np.where(np.abs(along[:, 2:3]) > 0.9, [[1.0, 0.0, 0.0]], [[0.0, 0.0, 1.0]])
    a = np.cross(helper, along)
    a /= np.maximum(np.linalg.norm(a, axis=1, keepdims=True), 1e-12)
    b = np.cross(along, a)
    turn = np.linspace(0, 2 * np.pi, sides + 1)
    ring = np.cos(turn)[None, :, None] * a[:, None] + np.sin(turn)[None, :, None] * b[:, None]
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(p, axis=0), axis=1))])
    uv = np.stack(np.broadcast_arrays(turn[None] * max(float(r.max()), 1e-3), length[:, None]), axis=-1)
    return grid(p[:, None] + ring * r[:, None, None], ring, uv, material, colour)


def grid(points: Float64, normals: Float64, uv: Float64, material: Material, colour: ArrayLike) -> Mesh:
    """A surface through a grid of points (A,B,3); seen from outside, B goes right as A goes up."""
    rows, columns = points.shape[:2]
    faces = two_triangles(grid_cells(rows, columns), (0, 1, columns + 1, columns))
    return triangles(points.reshape(-1, 3), normals.reshape(-1, 3), uv.reshape(-1, 2), faces, material, colour)


def ellipsoid(middle: ArrayLike, half: ArrayLike, material: Material, colour: Colour, *, sides: int = 8) -> Mesh:
    """An ellipsoid with half axes (3,)."""
    c, h = np.asarray(middle, dtype=np.float64), np.asarray(half, dtype=np.float64)
    up, turn = np.linspace(-np.pi / 2, np.pi / 2, sides // 2 + 2), np.linspace(0, 2 * np.pi, sides + 1)
    unit = np.stack(
        np.broadcast_arrays(
            np.cos(up)[:, None] * np.cos(turn), np.cos(up)[:, None] * np.sin(turn), np.sin(up)[:, None]
        ),
        axis=-1,
    )
    uv = np.stack(np.broadcast_arrays(turn * h[0], up[:, None] * h[2]), axis=-1)
    return grid(c + unit * h, unit / h / np.linalg.norm(unit / h, axis=-1, keepdims=True), uv, material, colour)


def disc(middle: ArrayLike, axis: int, radius: float, material: Material, colour: Colour, *, sides: int = 12) -> Mesh:
    """A flat disc across an axis (0, 1, 2); with few sides a polygon that points up."""
    turn = np.pi / 2 + np.linspace(0, 2 * np.pi, sides, endpoint=False)
    a, b = [(1, 2), (2, 0), (0, 1)][axis]
    vertices = np.tile(np.asarray(middle, dtype=np.float64), (sides + 1, 1))
    vertices[1:, a] += radius * np.cos(turn)
    vertices[1:, b] += radius * np.sin(turn)
    normals = np.zeros_like(vertices)
    normals[:, axis] = 1.0
    i = np.arange(sides)
    faces = np.stack([np.zeros(sides, dtype=np.int64), 1 + i, 1 + (i + 1) % sides], axis=1)
    return triangles(vertices, normals, vertices[:, [a, b]].copy(), faces, material, colour)


def cylinder(
    start: ArrayLike, end: ArrayLike, radius: float, material: Material, colour: Colour, *, sides: int = 12
) -> Mesh:
    """A closed cylinder."""
    a, b = np.asarray(start, dtype=np.float64), np.asarray(end, dtype=np.float64)
    tip = 1e-4 * (b - a)
    path = np.stack([a - tip, a, b, b + tip])
    return tube(path, np.array([0.0, radius, radius, 0.0]), material, colour, sides=sides)


def bars(starts: ArrayLike, ends: ArrayLike, width: float, material: Material, colour: Colour) -> Mesh:
    """Thin three-sided bars from starts (N,3) to ends (N,3)."""
    a = np.asarray(starts, dtype=np.float64).reshape(-1, 3)
    b = np.asarray(ends, dtype=np.float64).reshape(-1, 3)
    along = (b - a) / np.maximum(np.linalg.norm(b - a, axis=1, keepdims=True), 1e-9)
    helper = np.where(np.abs(along[:, 2:3]) > 0.9, [[1.0, 0.0, 0.0]], [[0.0, 0.0, 1.0]])
    side = np.cross(helper, along)
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    up = np.cross(along, side)
    out = []
    for k in range(3):
        p, q = (width / 2 * (np.cos(t) * side + np.sin(t) * up) for t in (2 * np.pi * k / 3, 2 * np.pi * (k + 1) / 3))
        out.append(quads(np.stack([a + p, a + q, b + q, b + p], axis=1), material, colour))
    return join(out)
