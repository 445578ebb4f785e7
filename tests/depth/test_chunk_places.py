"""What was read once is read again from its place in the file, and never from a file that is another or damaged."""

import dataclasses
import os

import numpy as np
import pytest

from densegt.depth import store
from densegt.depth.store import SceneReader
from densegt.errors import InputError

from .stores import camera, world, write_store


@pytest.fixture
def path(tmp_path):
    depth_m = world()[0]
    sure = {"confidence": np.full(depth_m.shape, 99, np.uint8)}
    images = [(camera(sample=f"s{k}", timestamp_us=k), depth_m + k, sure) for k in range(3)]
    return write_store(tmp_path / "store", images) / "scene-0001.h5"


@pytest.fixture
def opened(monkeypatch):
    """How often HDF5 was asked."""
    calls, through = [], store.opened

    def counted(*given, **more):
        calls.append(given)
        return through(*given, **more)

    monkeypatch.setattr(store, "opened", counted)
    return calls


def equal(one, other):
    for name, value in vars(one).items():
        np.testing.assert_equal(getattr(other, name), value, err_msg=name)


@pytest.mark.parametrize("layers", [None, ("confidence",), ()])
def test_again_is_the_same_without_hdf5(path, opened, layers):
    reader = SceneReader(path)
    first = [reader.read(*key, layers=layers) for key in reader.keys]
    asked = len(opened)
    for key, record in zip(reader.keys, first, strict=True):
        equal(record, dataclasses.replace(reader.read(*key, layers=layers)))
    assert len(opened) == asked


def test_layers_that_were_not_read_are_read(path):
    reader = SceneReader(path)
    key = reader.keys[0]
    assert not reader.read(*key, layers=()).layers
    equal(reader.read(*key), SceneReader(path).read(*key))
    assert not reader.read(*key, layers=()).layers


def test_a_file_that_took_its_place_is_refused(path):
    reader = SceneReader(path)
    reader.read(*reader.keys[0])
    path.write_bytes(path.read_bytes())
    with pytest.raises(InputError, match="was replaced"):
        reader.read(*reader.keys[0])
    path.unlink()
    with pytest.raises(InputError, match="no such file"):
        reader.read(*reader.keys[0])


def test_damage_that_keeps_size_and_time_is_refused(path):

    reader = SceneReader(path)
    reader.read(*reader.keys[0])
    place = reader._known_places[reader.keys[0]].places["depth"]
    stat = path.stat()
    with path.open("r+b") as file:
        file.seek(place.offset + place.size // 2)
        byte = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([byte[0] ^ 1]))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    with pytest.raises(InputError, match="damaged"):
        reader.read(*reader.keys[0])
