"""The store of motion votes: what is written is read, and nothing else is taken for it."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from densegt.depth.hdf5_file import read_header
from densegt.depth.point_votes import NO_CLASS, SweepVotes, VotesWriter, read_votes
from densegt.depth.store import SceneReader, SceneWriter
from densegt.errors import InputError


def some_votes(count: int) -> SweepVotes:
    rng = np.random.default_rng(count)
    votes = SweepVotes.none(count)
    half = count // 2
    votes.moving[:half] = rng.random(half)
    votes.kind[:half] = rng.integers(0, 16, half)
    votes.speed_mps[:half] = rng.uniform(0, 30, half)
    votes.offset_m[:half] = rng.normal(0, 3, (half, 2))
    return votes


@pytest.fixture
def store(tmp_path: Path) -> Path:
    with VotesWriter(tmp_path, "scene-0001", {"classes": ["car"]}, input_digest="abc") as writer:
        for stamp, count in ((10, 7), (20, 5000), (30, 0)):
            writer.write("LIDAR_TOP", stamp, some_votes(count))
        writer.write("LIDAR_BACK", 10, some_votes(3))
    return tmp_path / "scene-0001.h5"


@pytest.mark.parametrize(
    ("channel", "stamp", "count"), [("LIDAR_TOP", 10, 7), ("LIDAR_TOP", 20, 5000), ("LIDAR_BACK", 10, 3)]
)
def test_what_is_written_is_read(store: Path, channel: str, stamp: int, count: int) -> None:
    wrote, read = some_votes(count), read_votes(store, channel, stamp, count)
    np.testing.assert_array_equal(np.isnan(read.moving), np.isnan(wrote.moving))
    np.testing.assert_allclose(read.moving, wrote.moving, atol=0.5 / 254 + 1e-6)
    np.testing.assert_array_equal(read.kind, wrote.kind)
    np.testing.assert_allclose(read.speed_mps, wrote.speed_mps, rtol=1e-3)
    np.testing.assert_allclose(read.offset_m, wrote.offset_m, atol=0.01)


def test_a_sweep_without_points_has_no_votes(store: Path) -> None:
    assert len(read_votes(store, "LIDAR_TOP", 30, 0).moving) == 0


def test_plain_h5py_reads_it(store: Path) -> None:
    with h5py.File(store) as file:
        assert file["LIDAR_TOP/20/moving"].shape == (5000, 1)
        assert (file["LIDAR_TOP/20/class"][2500:] == NO_CLASS).all()
        assert file.attrs["format"] == "densegt-motion-votes"


@pytest.mark.parametrize(
    ("channel", "stamp", "count", "says"),
    [
        ("LIDAR_TOP", 11, 7, "no votes of sweep LIDAR_TOP/11"),
        ("LIDAR_LEFT", 10, 7, "no votes of sweep LIDAR_LEFT/10"),
        ("LIDAR_TOP", 10, 8, "votes of 7 points, the sweep has 8"),
    ],
)
def test_other_sweeps_are_named(store: Path, channel: str, stamp: int, count: int, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_votes(store, channel, stamp, count)


def test_it_is_no_depth_store_and_no_depth_store_is_it(store: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a depth store"):
        SceneReader(store)
    with SceneWriter(tmp_path / "depth", "scene-0001", {}):
        pass
    with pytest.raises(InputError, match="not a store of motion votes"):
        read_votes(tmp_path / "depth" / "scene-0001.h5", "LIDAR_TOP", 10, 7)
    assert read_header(store).input_digest == "abc"


def test_damage_is_one_line(store: Path) -> None:
    data = bytearray(store.read_bytes())
    with h5py.File(store) as file:
        offset = file["LIDAR_TOP/20/moving"].id.get_chunk_info(0).byte_offset
    data[offset + 100] ^= 0xFF
    store.write_bytes(data)
    with pytest.raises(InputError, match="LIDAR_TOP/20: damaged"):
        read_votes(store, "LIDAR_TOP", 20, 5000)


def test_nothing_is_left_of_an_interrupted_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="negative"), VotesWriter(tmp_path, "s", {}, input_digest="a") as writer:
        writer.write("L", 1, SweepVotes.none(-1))
    assert not list(tmp_path.iterdir())
