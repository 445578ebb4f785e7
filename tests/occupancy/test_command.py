"""`densegt occupancy` on a short world, against its exact depth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from densegt.cli.main import group

from densegt.depth.kind import Kind
from densegt.depth.store import ImageRecord, SceneReader
from densegt.geometry import se3
from densegt.occupancy.store import OccupancyReader, OccupancyRecord
from densegt.occupancy.voxels import State


def states_at(record: OccupancyRecord, xyz_global: np.ndarray) -> np.ndarray:
    """The states of the voxels that hold points (N,3), those outside the grid left out."""
    T = record.grid.T_voxel_grid @ se3.inverse(record.T_global_grid)
    voxels = np.floor(se3.apply(T, xyz_global)).astype(int)
    voxels = voxels[((voxels >= 0) & (voxels < record.grid.shape)).all(axis=1)]
    return record.state[tuple(voxels.T)]


def exact_rays(image: ImageRecord) -> tuple[np.ndarray, np.ndarray]:
    """Where the camera is (3,), and what it sees of what does not move (N,3), in global."""
    v, u = np.nonzero((image.depth_m > 0) & np.isin(image.layers["kind"], [Kind.GROUND, Kind.STRUCTURE, Kind.STANDING]))
    rays = np.linalg.inv(image.K) @ np.stack([u, v, np.ones(len(u))])
    return image.T_global_cam[:3, 3], se3.apply(image.T_global_cam, (rays * image.depth_m[v, u]).T)


@pytest.fixture(scope="module")
def keyframes(occupied_world: Path, short_world: Path) -> list[tuple[OccupancyRecord, list[ImageRecord]]]:
    exact = SceneReader(short_world / "exact" / "scene-0001.h5")
    reader = OccupancyReader(occupied_world / "occupancy" / "scene-0001.h5")
    return [(record, [i for i in exact if i.sample_token == record.sample_token]) for record in reader]


def test_every_keyframe_is_there(keyframes: list[tuple[OccupancyRecord, list[ImageRecord]]]) -> None:
    assert len(keyframes) == 2
    for record, images in keyframes:
        assert len(images) == 6
        for state in State:
            assert (record.state == state).mean() > 0.01
        assert ((record.layers["confidence"] > 0) == (record.state != State.UNOBSERVED)).all()


def test_what_a_camera_sees_is_not_free_and_what_it_sees_through_is_not_occupied(
    keyframes: list[tuple[OccupancyRecord, list[ImageRecord]]],
) -> None:
    at, before = [], []
    for record, images in keyframes:
        for image in images:
            place, seen = exact_rays(image)
            at.append(states_at(record, seen))
            # Half way there is air, unless the way leads along a surface.
            before.append(states_at(record, (place + seen) / 2))
    seen, through = np.concatenate(at), np.concatenate(before)
    assert (seen == State.FREE).mean() < 0.01
    assert (seen == State.OCCUPIED).sum() > 0.75 * len(seen)
    assert (through == State.OCCUPIED).mean() < 0.05
    assert (through == State.FREE).mean() > 0.5


def test_what_moves_has_flow_and_a_name(occupied_world: Path) -> None:
    reader = OccupancyReader(occupied_world / "occupancy" / "scene-0001.h5")
    assert reader.movers
    speeds = []
    for record in reader:
        of = record.layers["mover"]
        assert of.max() < len(reader.movers)
        assert (record.state[of >= 0] == State.OCCUPIED).all()
        assert not record.layers["flow"][of < 0].any()
        speeds.append(np.linalg.norm(record.layers["flow"][of >= 0].astype(float), axis=-1))
    assert 0.5 < np.median(np.concatenate(speeds)) < 30


def test_finished_scenes_are_skipped_and_other_grids_refused(occupied_world: Path, short_world: Path) -> None:
    line = ["occupancy", "--dataroot", str(short_world), "--out", str(occupied_world / "occupancy")]
    again = CliRunner().invoke(group, [*line, "--grid", str(occupied_world / "grid.yaml")], standalone_mode=False)
    assert "finished before, skipped" in again.output
    other = CliRunner().invoke(group, line, standalone_mode=False)
    assert "made with other options" in str(other.exception)
