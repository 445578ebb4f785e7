"""The occupancy store: what is written is read, by densegt and by plain h5py; what is damaged is one line."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from densegt.depth.store import SceneReader
from densegt.errors import InputError
from densegt.occupancy.grid import VoxelGrid
from densegt.occupancy.store import MoverName, OccupancyReader, OccupancyWriter, is_occupancy_store, occupancy_files
from densegt.occupancy.voxels import GridFrame, Occupancy

GRID = VoxelGrid("mine", "ego", (0.0, -1.0, -1.0), 0.5, (4, 3, 2))


def some_voxels(sample_token: str = "sample0", timestamp_us: int = 5) -> Occupancy:
    rng = np.random.default_rng(0)
    T = np.eye(4)
    T[:3, 3] = 1000.123456789, 2000, 3
    counts = rng.integers(0, 65536, (2, *GRID.shape)).astype(np.uint16)
    return Occupancy(
        frame=GridFrame(GRID, sample_token, timestamp_us, 0, T),
        state=rng.integers(0, 3, GRID.shape).astype(np.uint8),
        semantics=rng.integers(0, 17, GRID.shape).astype(np.uint8),
        hits=counts[0],
        passes=counts[1],
        mover=rng.integers(-1, 2, GRID.shape).astype(np.int16),
        mask_camera=rng.random(GRID.shape) < 0.5,
        confidence=rng.random(GRID.shape).astype(np.float32),
        flow_mps=rng.normal(size=(*GRID.shape, 3)).astype(np.float32),
    )


def written(folder: Path, *keyframes: Occupancy) -> Path:
    with OccupancyWriter(folder, "scene-0001", {"made": "by a test"}) as writer:
        writer.describe(GRID, [MoverName("a", "vehicle.car"), MoverName("b", "")])
        for voxels in keyframes:
            writer.write(voxels, sweep_token="sweep0", filename="sweep0.bin")
    return writer.path


def test_roundtrip(tmp_path: Path) -> None:
    voxels = some_voxels()
    reader = OccupancyReader(written(tmp_path, some_voxels("later", 9), voxels))
    assert reader.sample_tokens == ["sample0", "later"]
    assert (reader.grid, len(reader)) == (GRID, 2)
    assert reader.movers == [MoverName("a", "vehicle.car"), MoverName("b", "")]
    record = reader.read("sample0")
    assert is_occupancy_store(tmp_path)
    np.testing.assert_array_equal(record.state, voxels.state)
    for name in ("semantics", "mask_camera", "hits", "passes", "mover"):
        np.testing.assert_array_equal(record.layers[name], getattr(voxels, name))
    np.testing.assert_allclose(record.layers["flow"], voxels.flow_mps, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(record.layers["confidence"] / 255, voxels.confidence, atol=0.5 / 255 + 1e-6)
    np.testing.assert_array_equal(record.T_global_grid, voxels.frame.T_global_grid)
    assert (record.timestamp_us, record.sweep_token, record.filename) == (5, "sweep0", "sweep0.bin")


def test_plain_h5py_reads_it(tmp_path: Path) -> None:
    voxels = some_voxels()
    with h5py.File(written(tmp_path, voxels)) as file:
        assert (file.attrs["format"], file.attrs["format_version"]) == ("densegt-occupancy", 1)
        assert json.loads(file.attrs["grid"]) == GRID.described()
        np.testing.assert_array_equal(file["sample0/state"][:], voxels.state)
        np.testing.assert_array_equal(file["sample0/flow"][:], voxels.flow_mps.astype(np.float16))


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), OccupancyWriter(tmp_path, "scene-0001", {}):
        raise RuntimeError
    assert not list(tmp_path.iterdir())
    with pytest.raises(InputError, match=r"no \.h5 file in it"):
        occupancy_files(tmp_path)


@pytest.mark.parametrize("damage", ["cut", "flipped", "grid", "shape"])
def test_damage_is_one_line(tmp_path: Path, damage: str) -> None:
    path = written(tmp_path, some_voxels())
    if damage in ("cut", "flipped"):
        content = bytearray(path.read_bytes())
        if damage == "cut":
            del content[len(content) // 2 :]
        else:
            with h5py.File(path) as file:
                info = file["sample0/hits"].id.get_chunk_info(0)
            content[info.byte_offset + info.size // 2] ^= 255
        path.write_bytes(content)
    else:
        with h5py.File(path, "r+") as file:
            if damage == "grid":
                file.attrs["grid"] = json.dumps({**GRID.described(), "shape": [1 << 20] * 3})
            else:
                del file["sample0/state"]
                file["sample0/state"] = np.zeros((4, 3, 3), np.uint8)
    with pytest.raises(InputError, match=rf"^{path}: [^\n]*$"):
        list(OccupancyReader(path))


def test_depth_and_occupancy_are_told_apart(tmp_path: Path, short_world: Path) -> None:
    path = written(tmp_path, some_voxels())
    with pytest.raises(InputError, match="not a depth store"):
        SceneReader(path)
    with pytest.raises(InputError, match="not a store of occupancy"):
        OccupancyReader(short_world / "exact" / "scene-0001.h5")
    with pytest.raises(InputError, match="no keyframe other"):
        OccupancyReader(path).read("other")
