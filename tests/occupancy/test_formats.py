"""The public layouts, read back by loaders written from their descriptions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from densegt.errors import InputError
from densegt.occupancy.formats import export_occupancy
from densegt.occupancy.grid import GRIDS, VoxelGrid
from densegt.occupancy.store import OccupancyWriter
from densegt.occupancy.voxels import GridFrame, Occupancy, State

from ..conftest import densegt_does

CAR = 4


def some_store(folder: Path, grid: VoxelGrid) -> Occupancy:
    """A store of one keyframe on a benchmark's grid: a car of known class, an unknown thing, air around the lidar."""
    none = np.zeros(grid.shape, np.uint16)
    state = none.astype(np.uint8)
    state[50:150, 60:140, 2:8] = State.FREE
    state[70:80, 100:104, 3:6] = state[10, 20, 1] = State.OCCUPIED
    semantics = np.zeros(grid.shape, np.uint8)
    semantics[70:80, 100:104, 3:6] = CAR
    seen = np.zeros(grid.shape, np.bool_)
    seen[:, :, :10] = True
    voxels = Occupancy(
        frame=GridFrame(grid, "sample0", 7, 0, np.eye(4)), state=state, semantics=semantics, hits=none,
        passes=none,
        mover=np.full(grid.shape, -1, np.int16), mask_camera=seen, confidence=none.astype(np.float32),
        flow_mps=np.zeros((*grid.shape, 3), np.float32),
    )  # fmt: skip
    with OccupancyWriter(folder, "scene-0061", {}) as writer:
        writer.describe(grid, [])
        writer.write(voxels, sweep_token="sweep0", filename="LIDAR_TOP__7.pcd.bin")
    return voxels


def load_occ3d(root: Path, scene: str, sample_token: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Occ3D for nuScenes: gts/SCENE/SAMPLE/labels.npz; semantics 0 to 17, the last is free; two masks of 0 and 1."""
    labels = np.load(root / "gts" / scene / sample_token / "labels.npz")
    return labels["semantics"], labels["mask_lidar"].astype(bool), labels["mask_camera"].astype(bool)


def load_surroundocc(root: Path, lidar_path: str) -> np.ndarray:
    """SurroundOcc: samples/LIDAR_FILE.npy, rows of x, y, z, class; dense grid with 0 = empty, class 0 becomes 255."""
    rows = np.load(root / "samples" / f"{lidar_path.split('/')[-1]}.npy").astype(np.float32)
    rows[rows[:, 3] == 0, 3] = 255
    dense = np.zeros((200, 200, 16), np.int64)
    dense[tuple(rows[:, :3].astype(int).T)] = rows[:, 3]
    return dense


def load_openoccupancy(root: Path, scene_token: str, lidar_token: str) -> np.ndarray:
    """OpenOccupancy: scene_TOKEN/occupancy/LIDAR_TOKEN.npy, rows of z, y, x, class; class 0 becomes 255."""
    rows = np.load(root / f"scene_{scene_token}" / "occupancy" / f"{lidar_token}.npy")
    low, voxel_m = np.array([-51.2, -51.2, -5.0]), 0.2
    xyz = (rows[:, [2, 1, 0]] + 0.5) * voxel_m + low
    assert (np.abs(xyz - [0, 0, -1]) < [51.2, 51.2, 4]).all()
    dense = np.zeros((512, 512, 40), np.int64)
    dense[tuple(np.floor((xyz - low) / voxel_m).astype(int).T)] = np.where(rows[:, 3] == 0, 255, rows[:, 3])
    return dense


def test_occ3d(tmp_path: Path) -> None:
    voxels = some_store(tmp_path / "store", GRIDS["occ3d"])
    densegt_does(["export", "--occupancy", str(tmp_path / "store"), "--format", "occ3d", "--out", str(tmp_path)])
    semantics, lidar, camera = load_occ3d(tmp_path, "scene-0061", "sample0")
    assert semantics.shape == lidar.shape == camera.shape == (200, 200, 16)
    assert semantics.dtype == np.uint8
    assert (semantics[voxels.occupied] == voxels.semantics[voxels.occupied]).all()
    assert (semantics[~voxels.occupied] == 17).all()
    np.testing.assert_array_equal(lidar, voxels.state != State.UNOBSERVED)
    np.testing.assert_array_equal(camera, lidar & voxels.mask_camera)


@pytest.mark.parametrize("unknown", [0, 15])
def test_surroundocc(tmp_path: Path, unknown: int) -> None:
    voxels = some_store(tmp_path / "store", GRIDS["surroundocc"])
    assert export_occupancy(tmp_path / "store", tmp_path, "surroundocc", unknown=unknown) == 1
    dense = load_surroundocc(tmp_path, "samples/LIDAR_TOP/LIDAR_TOP__7.pcd.bin")
    np.testing.assert_array_equal(dense > 0, voxels.occupied)
    assert (dense[70:80, 100:104, 3:6] == CAR).all()
    assert dense[10, 20, 1] == (unknown or 255)


def test_openoccupancy(tmp_path: Path) -> None:
    voxels = some_store(tmp_path / "store", GRIDS["openoccupancy"])
    (tmp_path / "v1.0-mini").mkdir()
    (tmp_path / "v1.0-mini" / "scene.json").write_text(json.dumps([{"name": "scene-0061", "token": "abc"}]))
    out = tmp_path / "out"
    assert export_occupancy(tmp_path / "store", out, "openoccupancy", dataroot=tmp_path) == 1
    dense = load_openoccupancy(out, "abc", "sweep0")
    np.testing.assert_array_equal(dense > 0, voxels.occupied)
    assert (dense[70:80, 100:104, 3:6] == CAR).all()
    with pytest.raises(InputError, match=r"sweep0\.npy: exists already; --overwrite"):
        export_occupancy(tmp_path / "store", out, "openoccupancy", dataroot=tmp_path)
    assert export_occupancy(tmp_path / "store", out, "openoccupancy", overwrite=True) == 1
    assert (out / "scene_scene-0061").is_dir()


def test_another_grid_is_refused(tmp_path: Path) -> None:
    some_store(tmp_path, GRIDS["surroundocc"])
    with pytest.raises(InputError, match="made on the grid surroundocc; make it with --grid occ3d"):
        export_occupancy(tmp_path, tmp_path / "out", "occ3d")
