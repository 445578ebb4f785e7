"""Grids by name and from files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from densegt.errors import InputError
from densegt.occupancy.grid import GRIDS, grid_of, open_grid


@pytest.mark.parametrize(
    ("name", "range_m", "shape"),
    [
        ("occ3d", [-40, -40, -1, 40, 40, 5.4], [200, 200, 16]),
        ("surroundocc", [-50, -50, -5, 50, 50, 3], [200, 200, 16]),
        ("openoccupancy", [-51.2, -51.2, -5, 51.2, 51.2, 3], [512, 512, 40]),
    ],
)
def test_the_benchmarks_grids(name: str, range_m: list[float], shape: list[int]) -> None:
    said = open_grid(name).described()
    np.testing.assert_allclose(said["range_m"], range_m)
    assert said["shape"] == shape
    assert grid_of(said) == GRIDS[name]


def test_points_fall_into_the_voxel_of_their_centre() -> None:
    grid = open_grid("occ3d")
    voxels = grid.centres_m.reshape(-1, 3) @ grid.T_voxel_grid[:3, :3].T + grid.T_voxel_grid[:3, 3]
    np.testing.assert_array_equal(np.floor(voxels).reshape(*grid.shape, 3), np.moveaxis(np.indices(grid.shape), 0, -1))


def test_a_grid_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("frame: lidar\nrange_m: [0, -10, -2, 30, 10, 2]\nvoxel_m: 0.25\n")
    grid = open_grid(str(file))
    assert (grid.frame, grid.shape, grid.high_m) == ("lidar", (120, 80, 16), (30.0, 10.0, 2.0))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("range_m: [0, 0, 0, 1, 1, 1]\nvoxel_m: 0.3\n", "whole number of voxels"),
        ("range_m: [0, 0, 0, 1, -1, 1]\nvoxel_m: 0.5\n", "whole number of voxels"),
        ("range_m: [0, 0, 0, 1e9, 1, 1]\nvoxel_m: 0.5\n", "are the most"),
        ("range_m: [0, 0, 0, .nan, 1, 1]\nvoxel_m: 0.5\n", "whole number of voxels"),
        ("range_m: [0, 0, 0, 1, 1]\nvoxel_m: 0.5\n", "range_m"),
        ("range_m: [0, 0, 0, 1, 1, 1]\nvoxel_m: 0\n", "voxel_m"),
        ("range_m: [0, 0, 0, 1, 1, 1]\nvoxel_m: 0.5\nframe: world\n", "frame"),
        ("range_m: [0, 0, 0, 1, 1, 1]\nvoxels: 0.5\n", "voxel_m"),
    ],
)
def test_a_file_that_is_none(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(InputError, match=rf"^{file}: .*{why}[^\n]*$"):
        open_grid(str(file))


def test_an_unknown_name_names_those_there_are() -> None:
    with pytest.raises(InputError, match=r"occ4d.*occ3d, surroundocc, openoccupancy"):
        open_grid("occ4d")
