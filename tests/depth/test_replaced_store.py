"""A store that is replaced while it is read: one pass never mixes two files, in this process or another."""

import os
import pickle
import shutil
from multiprocessing import get_context

import numpy as np
import pytest

from densegt.depth.store import SceneReader
from densegt.errors import InputError

from .stores import camera, world, write_store


@pytest.fixture
def two_stores(tmp_path):
    """Files of the same images with other depth."""
    depth_m = world()[0]
    stores = []
    for name, metres in (("first", depth_m), ("second", depth_m + 1)):
        images = [(camera(sample=f"s{k}", timestamp_us=k), metres, None) for k in range(6)]
        stores.append(write_store(tmp_path / name, images) / "scene-0001.h5")
    return stores


def rename(second, path):
    shutil.copy(second, path.with_name(".next"))
    os.replace(path.with_name(".next"), path)


def overwrite(second, path):
    path.write_bytes(second.read_bytes())


def link(second, path):
    path.unlink()
    path.symlink_to(second)


@pytest.mark.parametrize("replace", [rename, overwrite, link])
@pytest.mark.parametrize("after", [0, 3])
def test_a_pass_never_mixes(two_stores, replace, after):
    first, second = two_stores
    reader = SceneReader(first)
    for key in reader.keys[:after]:
        reader.read(*key)
    replace(second, first)
    for key in reader.keys[after:]:
        with pytest.raises(InputError, match=r"scene-0001\.h5: was replaced while it was read"):
            reader.read(*key)


def test_removed_and_written_anew(two_stores):
    first, second = two_stores
    reader = SceneReader(first)
    first.unlink()
    with pytest.raises(InputError, match="no such file"):
        reader.read("s0", "CAM_FRONT")
    overwrite(second, first)
    with pytest.raises(InputError, match="was replaced"):
        reader.read("s0", "CAM_FRONT")


def read_in_worker(reader, key):
    try:
        return float(reader.read(*key).depth_m.max())
    except InputError as error:
        return str(error)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_reader_that_goes_to_another_process_means_the_same_file(two_stores, method):
    first, second = two_stores
    reader = SceneReader(first)
    key = reader.keys[0]
    with get_context(method).Pool(1) as pool:
        assert pool.apply(read_in_worker, (reader, key)) == np.max(world()[0])
        rename(second, first)
        assert "was replaced" in pool.apply(read_in_worker, (reader, key))
    assert pickle.loads(pickle.dumps(reader)).identity == reader.identity


def test_a_file_that_was_looked_at_before_is_meant(two_stores):
    first, second = two_stores
    identity = SceneReader(first).identity
    rename(second, first)
    with pytest.raises(InputError, match="was replaced"):
        SceneReader(first, identity)
    assert len(SceneReader(first)) == 6
