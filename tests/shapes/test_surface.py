"""Surfaces, extents and meshes of decoded shapes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from densegt.shapes.mesh import mesh, write_glb, write_ply
from densegt.shapes.prior import ShapePrior
from densegt.shapes.surface import ON_M, extent, project, surface_points

FAMILIES = ("car", "van", "truck", "bus")


def _distance(prior: ShapePrior, code: np.ndarray, xyz: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        given = torch.from_numpy(code).float().expand(len(xyz), -1)
        out: np.ndarray = prior.decoder(given, torch.from_numpy(xyz).float()).numpy()
    return out


@pytest.mark.parametrize("family", FAMILIES)
def test_surface_points_are_on_the_surface_and_on_all_sides(family: str, prior: ShapePrior) -> None:
    of = prior.families[family]
    xyz = surface_points(prior.decoder, of.mean, of.size_lwh_m, 600)
    assert len(xyz) > 400
    assert np.abs(_distance(prior, of.mean, xyz)).max() < ON_M
    size, middle_x = extent(prior.decoder, of.mean, of.size_lwh_m)
    span = np.ptp(xyz, axis=0)
    assert span[:2] == pytest.approx(size[:2], abs=0.25)
    assert (xyz[:, 0].max() + xyz[:, 0].min()) / 2 == pytest.approx(middle_x, abs=0.15)


def test_normals_point_outwards(prior: ShapePrior) -> None:
    code = prior.families["car"].mean
    around = torch.tensor([[3.0, 0.0, 0.6], [-3.0, 0.0, 0.6], [0.0, 1.5, 0.6], [0.0, -1.5, 0.6], [0.0, 0.0, 2.5]])
    xyz, normal, left = project(prior.decoder, torch.from_numpy(code).float(), around)
    assert float(left.abs().max()) < ON_M
    assert bool(((around - xyz) * normal).sum(1).gt(0).all())
    outside = _distance(prior, code, (xyz + 0.05 * normal).double().numpy())
    assert (outside > 0.02).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_the_mean_shape_is_as_large_as_its_family(family: str, prior: ShapePrior) -> None:
    of = prior.families[family]
    size, _ = extent(prior.decoder, of.mean, of.size_lwh_m)
    assert np.abs(size - of.size_lwh_m).max() < 0.25 + 0.3 * of.size_sigma_m.max()


def test_extent_is_where_the_distance_changes_sign(prior: ShapePrior) -> None:
    of = prior.families["car"]
    size, middle_x = extent(prior.decoder, of.mean, of.size_lwh_m)
    z, y = np.linspace(0.1, 1.4, 80), np.linspace(0, 0.9, 40)
    for x, inside in ((middle_x + size[0] / 2 + 0.04, False), (middle_x + size[0] / 2 - 0.04, True)):
        places = np.stack(np.meshgrid([x], y, z, indexing="ij"), -1).reshape(-1, 3)
        assert bool((_distance(prior, of.mean, places) < 0).any()) == inside


def test_a_mesh_is_closed_and_lies_on_the_surface(prior: ShapePrior, tmp_path: Path) -> None:
    of = prior.families["car"]
    vertices, faces = mesh(prior.decoder, of.mean, of.size_lwh_m)
    assert np.quantile(np.abs(_distance(prior, of.mean, vertices)), 0.95) < 0.02
    # Poles are many vertices in one place; elsewhere two triangles share each edge, once in each direction.
    name = np.unique(vertices.round(6), axis=0, return_inverse=True)[1].ravel()[faces]
    name = name[(name != np.roll(name, 1, axis=1)).all(axis=1)]
    edges = Counter((int(a), int(b)) for face in name for a, b in zip(face, np.roll(face, -1), strict=True))
    assert all(edges[b, a] == count for (a, b), count in edges.items())
    a, b, c = vertices[faces].transpose(1, 0, 2)
    volume = float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)
    assert 5 < volume < 14
    write_ply(tmp_path / "car.ply", vertices, faces)
    open3d = pytest.importorskip("open3d")
    read = open3d.io.read_triangle_mesh(str(tmp_path / "car.ply"))
    assert np.allclose(np.asarray(read.vertices), vertices, atol=1e-5)
    assert np.array_equal(np.asarray(read.triangles), faces)
    write_glb(tmp_path / "car.glb", vertices, faces)
    read = open3d.io.read_triangle_mesh(str(tmp_path / "car.glb"))
    # Up along y, as the format has it.
    turned = vertices[:, [0, 2, 1]] * [1, 1, -1]
    assert np.allclose(np.asarray(read.vertices)[np.asarray(read.triangles)], turned[faces], atol=1e-5)
