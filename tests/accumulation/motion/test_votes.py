"""Votes on what moves beside free space: they add, they refute, and alone they make no mover."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.job import AccumulateJob
from densegt.accumulation.measurements import Measurements, measure_scene
from densegt.accumulation.motion.free_space import find_transient
from densegt.accumulation.motion.point_assignment import assign_points
from densegt.accumulation.motion.vote_fusion import VotedPoints, find_voted_clusters, fused_transient
from densegt.accumulation.scene_input import read_scene
from densegt.accumulation.sweep_returns import not_own, read_returns
from densegt.datasets import RecordingPath, open_recording
from densegt.datasets.scene import Scene, Sweep
from densegt.depth.hdf5_file import read_header
from densegt.depth.point_votes import SweepVotes, VotesWriter
from densegt.depth.store import SceneReader
from densegt.errors import InputError

FREE = AccumulateConfig(motion="free", refine_poses=False)
Said = Callable[[NDArray[np.bool_]], NDArray[np.floating]]


def truth_of(folder: Path, scene: Scene, sweep: Sweep) -> NDArray[np.bool_]:
    """Which points of a sweep's file are on things that move."""
    config = SceneReader(folder / "exact" / f"{scene.name}.h5").config
    moving = np.array([False, *(thing["moving"] for thing in config["objects"])])
    return moving[np.load(folder / "exact" / "lidar" / scene.name / f"{sweep.timestamp_us}.npz")["object_id"]]


@pytest.fixture(scope="module")
def world(tiny_dataset: Path) -> tuple[Path, Scene]:
    recording = open_recording(tiny_dataset)
    return tiny_dataset, read_scene(recording, recording.scene_names[0], FREE)


def measured_with(world: tuple[Path, Scene], said: Said) -> tuple[Measurements, NDArray[np.bool_]]:
    """The scene with votes made of the truth, and the truth of each measured point."""
    folder, scene = world
    truths = []

    def votes(sweep: Sweep, count: int) -> NDArray[np.float32]:
        truth = truth_of(folder, scene, sweep)
        assert len(truth) == count
        truths.append(truth[not_own(scene.read_points(sweep).xyz_lidar, sweep, FREE.ego)])
        return said(truth).astype(np.float32)

    returns = read_returns(scene, FREE, votes)
    return measure_scene(scene, returns, FREE), np.concatenate(truths)


def transient_of(measured: Measurements) -> NDArray[np.bool_]:
    surfels = measured.surfels
    return find_transient(measured.images, measured.moments, surfels.xyz, surfels.sweep, FREE.free_space)


def voted(measured: Measurements, rows: NDArray[np.intp], transient: NDArray[np.bool_]) -> VotedPoints:
    assert measured.moving is not None
    xyz, sweep = measured.surfels.xyz[rows], measured.surfels.sweep[rows]
    return VotedPoints(xyz, sweep, transient, measured.moving[rows], measured.images, measured.moments)


def rightly(truth: NDArray[np.bool_]) -> NDArray[np.floating]:
    return np.where(truth, 0.97, 0.02)


def test_right_votes_find_more_and_nothing_false(world: tuple[Path, Scene]) -> None:
    measured, truth = measured_with(world, rightly)
    alone = transient_of(measured)
    fused = fused_transient(voted(measured, np.arange(len(truth)), alone), FREE.free_space)
    assert (fused & truth).sum() > 1.05 * (alone & truth).sum()
    assert (fused & ~truth).sum() < (alone & ~truth).sum()


def test_a_vote_alone_makes_no_mover(world: tuple[Path, Scene]) -> None:
    measured, truth = measured_with(world, rightly)
    rows = np.flatnonzero(truth)
    points = voted(measured, rows, np.zeros(len(rows), dtype=np.bool_))
    found = find_voted_clusters(points, FREE.free_space)
    unseen = ~found.passed[found.cluster]
    fused = fused_transient(points, FREE.free_space)
    assert unseen.any()
    assert not fused[found.rows[unseen]].any()


def test_votes_refute(world: tuple[Path, Scene]) -> None:
    measured, truth = measured_with(world, lambda truth: np.full(len(truth), 0.003))
    alone = transient_of(measured)
    fused = fused_transient(voted(measured, np.arange(len(truth)), alone), FREE.free_space)
    assert fused.sum() < 0.5 * alone.sum()


def test_without_a_vote_free_space_decides(world: tuple[Path, Scene]) -> None:
    measured, _ = measured_with(world, lambda truth: np.full(len(truth), np.nan))
    alone = measure_scene(world[1], read_returns(world[1], FREE), FREE)
    assert alone.moving is None
    with_none, without = assign_points(measured, [], FREE), assign_points(alone, [], FREE)
    np.testing.assert_array_equal(with_none.transient, without.transient)
    np.testing.assert_array_equal(with_none.owner, without.owner)


def votes_store(folder: Path, world: tuple[Path, Scene]) -> Path:
    dataset, scene = world
    with VotesWriter(folder, scene.name, {"checkpoint": "none"}, input_digest="x") as writer:
        for sweep in scene.sweeps:
            truth = truth_of(dataset, scene, sweep)
            votes = SweepVotes.none(len(truth))
            votes.moving[:] = rightly(truth)
            writer.write(sweep.lidar.channel, sweep.timestamp_us, votes)
    return folder


def test_accumulate_takes_votes_and_says_so(world: tuple[Path, Scene], tmp_path: Path) -> None:
    name = world[1].name
    votes = votes_store(tmp_path / "votes", world)
    path = RecordingPath(world[0])
    job = AccumulateJob(path, tmp_path / "depth", FREE, ("CAM_FRONT",), votes=votes)
    assert job.process(name, lambda progress: None).status == "done"
    assert read_header(tmp_path / "depth" / f"{name}.h5").config["motion_votes"] == {"checkpoint": "none"}
    assert "motion_votes" not in AccumulateJob(path, tmp_path / "plain", FREE).saved_config(name)


def test_missing_votes_are_named(world: tuple[Path, Scene], tmp_path: Path) -> None:
    path, name = RecordingPath(world[0]), world[1].name
    with pytest.raises(InputError, match=r"no such folder; densegt predict-motion"):
        AccumulateJob(path, tmp_path / "depth", FREE, votes=tmp_path / "none").check()
    with pytest.raises(InputError, match="name another folder"):
        AccumulateJob(path, tmp_path, FREE, votes=tmp_path).check()
    with pytest.raises(InputError, match=f"{name}.h5: no such file; densegt predict-motion --scene {name}"):
        AccumulateJob(path, tmp_path / "depth", FREE, votes=tmp_path).process(name, lambda progress: None)
