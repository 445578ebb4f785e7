"""Exact voxels of a small city agree with its exact depth."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("open3d", exc_type=ImportError)

from densegt.depth.store import SceneReader
from densegt.errors import InputError
from densegt.geometry import se3
from densegt.occupancy.evaluate import evaluate_occupancy
from densegt.occupancy.exact import ExactScene
from densegt.occupancy.grid import VoxelGrid
from densegt.simulate.city import CityStreet
from densegt.simulate.config import SimulateConfig
from densegt.simulate.run import simulate

from ..conftest import MadeOnce, densegt_does

GRID = VoxelGrid("mine", "ego", (-20.0, -20.0, -1.0), 0.4, (100, 100, 12))


@pytest.fixture(scope="session")
def small_city(made_once: MadeOnce) -> Path:
    """A city's scene of half a second, six cameras of 96x54 px; to read."""

    def make(folder: Path) -> None:
        config = SimulateConfig(scenes=1, seconds=0.5, width_px=96, height_px=54, seed=4)
        simulate(config, folder, street=CityStreet("city-small"), workers=1)

    return made_once("small-city-occupancy", make)


def test_what_cameras_see_lies_in_voxels_with_surface(small_city: Path) -> None:
    exact = ExactScene(small_city, "scene-0001")
    shares = []
    for image in SceneReader(small_city / "exact" / "scene-0001.h5"):
        v, u = np.nonzero(image.depth_m)
        xyz_cam = (np.linalg.inv(image.K) @ np.stack([u, v, np.ones(len(u))]) * image.depth_m[v, u]).T
        # Movers are where they are when the camera exposes; the grid stays that of the image's own moment.
        voxels = exact.voxels(GRID, image.timestamp_us)
        T = GRID.T_voxel_grid @ se3.inverse(exact.T_global_grid(GRID, image.timestamp_us)) @ image.T_global_cam
        at = np.floor(se3.apply(T, xyz_cam)).astype(int)
        inside = ((at >= 0) & (at < GRID.shape)).all(axis=1)
        of = tuple(at[inside].T)
        shares.append(((voxels.area[of] > 0).mean(), (voxels.kind[of] == image.layers["kind"][v, u][inside]).mean()))
    there, kind = np.mean(shares, axis=0)
    assert there > 0.97
    assert kind > 0.85


def test_the_command_scores_voxels_against_the_exact_ones(small_city: Path, tmp_path: Path) -> None:
    (tmp_path / "grid.yaml").write_text("range_m: [-20, -20, -1, 20, 20, 3.8]\nvoxel_m: 0.4\n")
    voxels, exact, figures = tmp_path / "occupancy", tmp_path / "exact", tmp_path / "figures.json"
    data = ["--dataroot", str(small_city), "--grid", str(tmp_path / "grid.yaml")]
    densegt_does(
        ["occupancy", *data, "--out", str(voxels)],
        ["occupancy", *data, "--out", str(exact), "--exact"],
        ["evaluate", "--pred", str(voxels), "--truth", str(small_city / "exact"), "--json", str(figures)],
    )
    said = json.loads(figures.read_text())
    # With eleven sweeps little is observed, but that is right.
    assert said["observed"] > 10
    assert said["occupied_iou"] > 75
    assert said["free_precision"] > 97
    assert said["ray_iou"] > 50
    assert said["mask_agreement"] > 90
    assert said["recall_by_kind"]["ground"] > 80
    assert said["flow_right"] > 50
    perfect = evaluate_occupancy(exact, small_city).compute()
    assert {perfect[name] for name in ("occupied_iou", "free_precision", "mover_recall", "ray_iou", "class_miou")} == {
        100
    }
    assert perfect["mask_by_depth_agreement"] == perfect["flow_right"] == 100
    assert perfect["trail_occupied"] == perfect["still_with_flow"] == 0


def test_a_world_of_another_simulator_is_refused(small_city: Path, tmp_path: Path) -> None:
    exact = tmp_path / "exact"
    (exact / "objects").mkdir(parents=True)
    (exact / "scene-0001.h5").symlink_to(small_city / "exact" / "scene-0001.h5")
    with np.load(small_city / "exact" / "objects" / "scene-0001.npz") as said:
        content = dict(said)
    content["T_global_box"][0, :, 0, 3] += 0.01
    np.savez(exact / "objects" / "scene-0001.npz", **content)
    with pytest.raises(InputError, match="made other worlds"):
        ExactScene(tmp_path, "scene-0001")


def test_a_simple_street_is_refused(short_world: Path) -> None:
    with pytest.raises(InputError, match="--street city"):
        ExactScene(short_world, "scene-0001")
