"""A depth store as a whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from densegt.depth.depth_store import DepthStore
from densegt.errors import InputError

from .stores import camera, world, write_store


def write(folder: Path, more_m: float) -> DepthStore:
    return DepthStore(write_store(folder, [(camera(sample="s", timestamp_us=0), world()[0] + more_m, None)]))


def test_a_scene_that_is_made_again_is_read_anew(tmp_path: Path) -> None:
    store = write(tmp_path / "depth", 0)
    before = store.read("scene-0001", "s", "CAM_FRONT").depth_m
    (tmp_path / "depth" / "scene-0001.h5").unlink()
    write(tmp_path / "depth", 1)
    assert (store.read("scene-0001", "s", "CAM_FRONT").depth_m - before == 1).all()
    assert len(store) == len(list(store)) == 1


def test_an_unknown_scene_is_told_with_those_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no scene 'scene-0002'; there is scene-0001"):
        write(tmp_path / "depth", 0).images("scene-0002")
