"""A short world's voxels, made by the command."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..conftest import MadeOnce, densegt_does

GRID = "frame: ego\nrange_m: [-20, -20, -1, 20, 20, 3.8]\nvoxel_m: 0.4\n"


@pytest.fixture(scope="session")
def occupied_world(made_once: MadeOnce, short_world: Path) -> Path:
    """A folder with `grid.yaml`, `occupancy` and `unlabelled`, of the short world; to read."""

    def make(folder: Path) -> None:
        (folder / "grid.yaml").write_text(GRID)
        data = ["--dataroot", str(short_world), "--grid", str(folder / "grid.yaml")]
        densegt_does(["occupancy", *data, "--out", str(folder / "occupancy")])

    return made_once("occupied-world", make)
