"""Whatever an .h5 file holds, the reader gives the pixels that were written or one line that names the file."""

import os
import subprocess
import sys
import tracemalloc
import zlib

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from densegt.depth.hdf5_file import read_header
from densegt.depth.store import SceneReader
from densegt.errors import InputError
from densegt.kernels.fletcher32 import fletcher32

from .stores import camera, write_store

ON_ONE_COPY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)


@pytest.fixture
def store(tmp_path):
    """A small store's file."""
    rng = np.random.default_rng(0)
    images = [(camera(channel=c), rng.integers(0, 65536, (36, 64)) / 256, None) for c in ("CAM_FRONT", "CAM_BACK")]
    return write_store(tmp_path, images) / "scene-0001.h5"


def read_all(path):
    """All that a store says, or the one line."""
    try:
        header = read_header(path)
        return [header, *map(told, SceneReader(path))], None
    except InputError as error:
        words = str(error)
        assert str(path) in words
        assert "\n" not in words
        return None, words


def told(record):
    """An image as it compares by value."""
    return {n: (v.dtype, v.tolist()) if isinstance(v, np.ndarray) else v for n, v in flat(record).items()}


def flat(record):
    return {**vars(record), **record.layers, "layers": sorted(record.layers)}


def overwritten(data, start, noise):
    return data[:start] + noise + data[start + len(noise) :]


def assert_nothing_else(path, whole):
    got, words = read_all(path)
    assert words if got is None else got == whole


@given(share=st.floats(0, 1, exclude_max=True))
@ON_ONE_COPY
def test_a_store_cut_anywhere(store, share):
    before = store.read_bytes()
    store.write_bytes(before[: int(share * len(before))])
    try:
        assert read_all(store)[1]
    finally:
        store.write_bytes(before)


@given(share=st.floats(0, 1, exclude_max=True), noise=st.binary(min_size=1, max_size=8))
@ON_ONE_COPY
def test_pixels_overwritten_anywhere(store, share, noise):
    before, (whole, _) = store.read_bytes(), read_all(store)
    with h5py.File(store) as file:
        chunk = file["sample0/CAM_FRONT/depth"].id.get_chunk_info(0)
    store.write_bytes(overwritten(before, chunk.byte_offset + int(share * (chunk.size - len(noise))), noise))
    try:
        assert_nothing_else(store, whole)
    finally:
        store.write_bytes(before)


# Hundreds of damaged files, each read in full.
@pytest.mark.slow
@given(share=st.floats(0, 1, exclude_max=True), noise=st.binary(min_size=1, max_size=8))
@settings(ON_ONE_COPY, max_examples=150)
def test_anything_overwritten_anywhere(store, share, noise):
    before, (whole, _) = store.read_bytes(), read_all(store)
    store.write_bytes(overwritten(before, int(share * len(before)), noise))
    try:
        assert_nothing_else(store, whole)
    finally:
        store.write_bytes(before)


@pytest.mark.parametrize(
    "text", [b"samples/CAM_FRONT/sample0__CAM_FRONT.jpg", b"sample0-CAM_BACK", b'{"made": "by a test"}']
)
def test_a_letter_of_a_text(store, text):
    before = store.read_bytes()
    assert before.count(text) == 1
    store.write_bytes(before.replace(text, text[:-3] + b"x" + text[-2:]))
    assert "text attributes are not what was written" in read_all(store)[1]


OVERWRITE_HEAP = """
import sys
from pathlib import Path
from densegt.depth.store import SceneReader
from densegt.errors import InputError
path = Path(sys.argv[1])
data = path.read_bytes()
start = data.index(b"GCOL")
for at in range(start, start + 900, 8):
    for noise in (bytes(8), b"\\xff" * 8, (2**64 - 16).to_bytes(8, "little"), (4096).to_bytes(8, "little")):
        path.write_bytes(data[:at] + noise + data[at + 8 :])
        try:
            print(len(list(SceneReader(path))))
        except InputError:
            print("refused")
"""


# Hundreds of damaged files, each read in full.
@pytest.mark.slow
def test_a_heap_that_hdf5_would_read_for_ever(store):
    """In a process of its own: where HDF5 does not come back, neither does Ctrl-C."""
    command = [sys.executable, "-c", OVERWRITE_HEAP, str(store)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert {"2", "refused"} == set(done.stdout.split())


@given(data=st.binary(max_size=300))
@ON_ONE_COPY
def test_any_bytes_as_a_store(tmp_path, data):
    path = tmp_path / "scene-0001.h5"
    path.write_bytes(data)
    assert read_all(path)[1]
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + data)
    assert read_all(path)[1]


VALUES = [None, "x", b"\xff", 7, -1, float("nan"), [[1.0]], np.uint8(3)]


@pytest.mark.parametrize("value", VALUES, ids=str)
@pytest.mark.parametrize(
    ("place", "name"),
    [("/", "format"), ("/", "format_version"), ("/", "config")]
    + [("s", n) for n in ("timestamp_us", "K", "T_global_cam", "filename", "sample_data_token")],
)
def test_an_attribute_that_is_another(store, place, name, value):
    with h5py.File(store, "r+") as file:
        attributes = file["/" if place == "/" else "sample0/CAM_FRONT"].attrs
        attributes[name] = h5py.Empty("f") if value is None else value
    is_another_time = name == "timestamp_us" and isinstance(value, (int, np.integer))
    assert (read_all(store)[0] is not None) == is_another_time


@pytest.mark.parametrize(
    "name", ["format", "format_version", "config", "timestamp_us", "K", "T_global_cam", "filename"]
)
def test_an_attribute_that_is_missing(store, name):
    with h5py.File(store, "r+") as file:
        for attributes in (file.attrs, file["sample0/CAM_FRONT"].attrs):
            attributes.pop(name, None)
    assert read_all(store)[1]


def test_hdf5_of_others(tmp_path):
    path = tmp_path / "scene-0001.h5"
    with h5py.File(path, "w") as file:
        file["depth"] = np.zeros((4, 4))
    assert "not a depth store" in read_all(path)[1]


def test_an_array_as_format(store):
    with h5py.File(store, "r+") as file:
        file.attrs["format"] = [1, 2]
    assert read_all(store)[1]


@pytest.mark.parametrize("target", [h5py.SoftLink, h5py.ExternalLink], ids=["soft", "external"])
@pytest.mark.parametrize("to", ["/nowhere", "/sample0", "/sample0/CAM_BACK/depth", "/sample0/CAM_FRONT/source"])
@pytest.mark.parametrize("name", ["depth", "source", "more"])
def test_links_in_place_of_a_layer(store, tmp_path, target, to, name):
    (tmp_path / "other.h5").write_bytes(store.read_bytes())
    with h5py.File(store, "r+") as file:
        group = file["sample0/CAM_FRONT"]
        group.pop(name, None)
        group[name] = target(to) if target is h5py.SoftLink else target(str(tmp_path / "other.h5"), to)
    assert f"{name} is a link to elsewhere" in read_all(store)[1]


@pytest.mark.parametrize("place", ["sample0", "sample0/CAM_FRONT"])
def test_links_in_place_of_a_group(store, place):
    with h5py.File(store, "r+") as file:
        file.move(place, f"{place}-2")
        file[place] = h5py.SoftLink(f"/{place}-2")
    assert "is a link to elsewhere" in read_all(store)[1]


@pytest.mark.parametrize("name", ["..", "a\nb", "\x1b[2J", "x" * 300])
def test_a_channel_that_names_no_folder(store, name):
    with h5py.File(store, "r+") as file:
        file["sample0"].move("CAM_FRONT", name)
    assert read_all(store)[1]


def steps(value=1):
    return np.full((36, 64), value)


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("depth", steps().astype(np.float32)),
        ("depth", steps().astype(np.int16)),
        ("depth", steps().astype(np.uint16)[:, :-1]),
        ("depth", np.zeros((36, 64, 1), np.uint16)),
        ("depth", np.zeros(36 * 64, np.uint16)),
        ("depth", np.uint16(3)),
        ("depth", h5py.Empty(np.uint16)),
        ("depth", "text"),
        ("source", steps().astype(np.uint16)),
        ("source", steps().astype(np.uint8).T),
        ("more", np.zeros((36, 63), np.uint8)),
        ("more", np.full((36, 64), b"x")),
        ("more", np.zeros((36, 64), [("x", np.uint8)])),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value.dtype}{value.shape}",
)
def test_a_layer_that_is_another(store, name, layer):
    with h5py.File(store, "r+") as file:
        group = file["sample0/CAM_FRONT"]
        group.pop(name, None)
        group[name] = layer
    assert name in read_all(store)[1]


def test_numbers_in_the_other_order_of_bytes(store):
    with h5py.File(store, "r+") as file:
        group = file["sample0/CAM_FRONT"]
        depth = group["depth"][()]
        del group["depth"]
        group["depth"] = depth.astype(">u2")
    np.testing.assert_array_equal(SceneReader(store).read("sample0", "CAM_FRONT").depth_m, depth / 256)


def test_pixels_that_lie_in_another_file(store, tmp_path):
    (tmp_path / "secret").write_bytes(bytes(36 * 64 * 2))
    with h5py.File(store, "r+") as file:
        for name, group in file["sample0"].items():
            del group["depth"]
            if name == "CAM_FRONT":
                group.create_dataset("depth", (36, 64), np.uint16, external=[(tmp_path / "secret", 0, 36 * 64 * 2)])
            else:
                layout = h5py.VirtualLayout((36, 64), np.uint16)
                layout[:] = h5py.VirtualSource(tmp_path / "other.h5", "depth", (36, 64))
                group.create_virtual_dataset("depth", layout)
    reader = SceneReader(store)
    for key in reader.keys:
        with pytest.raises(InputError, match="no dataset in this file"):
            reader.read(*key)


def test_more_pixels_than_memory(store):
    """Nothing of it is in the file; reading would fill it with zeros."""
    with h5py.File(store, "r+") as file:
        group = file["sample0/CAM_FRONT"]
        del group["depth"]
        group.create_dataset("depth", (1 << 20, 1 << 20), np.uint16, chunks=(64, 64))
    assert "depth is uint16 (1048576, 1048576)" in read_all(store)[1]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("K", np.full((3, 3), np.nan)),
        ("K", np.eye(4)),
        ("T_global_cam", np.full((4, 4), np.inf)),
        ("T_global_cam", np.eye(3)),
        ("filename", "../../etc/passwd"),
        ("filename", "/etc/passwd"),
        ("filename", "a\nb"),
        ("timestamp_us", 1.5),
    ],
)
def test_a_value_that_cannot_be(store, name, value):
    with h5py.File(store, "r+") as file:
        attributes = file["sample0/CAM_FRONT"].attrs
        attributes[name] = value
        del attributes["text_crc32"]
    assert name in read_all(store)[1] or "leads out of the dataset" in read_all(store)[1]


def test_what_is_no_file(tmp_path):
    """Opening a pipe would wait for ever."""
    os.mkfifo(tmp_path / "pipe.h5")
    (tmp_path / "folder.h5").mkdir()
    for name, says in (("pipe.h5", "not a file"), ("folder.h5", "not a file"), ("none.h5", "no such file")):
        assert says in read_all(tmp_path / name)[1]


# --- files that ask for more than they hold ---


def put(store, name, shape, dtype, *, chunks, raw=None, **filters):
    """In place of a layer, one of this shape; `raw` is written as its first chunk without a look at it."""
    with h5py.File(store, "r+") as file:
        group = file["sample0/CAM_FRONT"]
        group.pop(name, None)
        layer = group.create_dataset(name, shape, dtype, chunks=chunks, **filters)
        if raw is not None:
            layer.id.write_direct_chunk((0,) * len(shape), raw)


OWN = {"shuffle": True, "compression": "gzip", "compression_opts": 1, "fletcher32": True}
ZEROS = zlib.compress(bytes(1 << 26), 9)


@pytest.mark.parametrize(
    ("shape", "dtype", "chunks", "says"),
    [
        ((1 << 14, 1 << 14), "u2", (4096, 4096), "larger than any image"),
        ((1, 1 << 20), "u2", (1, 1 << 20), "larger than any image"),
        ((40_000, 2), "u2", (64, 2), "larger than any image"),
        ((36, 64), "u2", (1 << 15, 1 << 15), "chunks of"),
        ((4096, 4096), "u2", (1, 1), "chunks of"),
        ((0, 64), "u2", (36, 64), "depth is"),
    ],
)
def test_a_depth_of_no_image(store, shape, dtype, chunks, says):
    put(store, "depth", shape, dtype, chunks=chunks, maxshape=(None, None), **OWN)
    assert says in read_all(store)[1]


@pytest.mark.parametrize(("layers", "dtype"), [(40, "f8"), (3, "f8"), (300, "u1")])
def test_layers_that_are_too_much_together(store, layers, dtype):
    size = (36, 64) if layers == 300 else (4096, 4096)
    for number in range(layers):
        put(store, f"layer{number}", size, dtype, chunks=size, **OWN)
    assert "layers take" in read_all(store)[1]


@pytest.mark.parametrize(
    ("raw", "filters"),
    [
        (ZEROS, {"compression": "gzip"}),
        (ZEROS + bytes(4), {"compression": "gzip", "fletcher32": True}),
        (ZEROS + fletcher32(np.frombuffer(ZEROS, np.uint8)).to_bytes(4, "little"), OWN),
        (zlib.compress(bytes(36 * 64 * 2 + 1)), {"compression": "gzip"}),
    ],
    ids=["gzip", "gzip and checksum", "our own filters", "one byte more"],
)
def test_a_chunk_that_inflates_to_more_than_its_size(store, raw, filters):
    put(store, "depth", (36, 64), "u2", chunks=(36, 64), raw=raw, **filters)
    tracemalloc.start()
    try:
        assert "inflate" in read_all(store)[1]
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("filters", [{"compression": "lzf"}, {"scaleoffset": 0, "compression": "gzip"}])
def test_filters_whose_output_has_no_bound(store, filters):
    put(store, "depth", (36, 64), "u2", chunks=(36, 64), **filters)
    assert "filters" in read_all(store)[1]


@pytest.mark.parametrize(
    "filters", [{}, {"compression": "gzip"}, {"fletcher32": True}, {"shuffle": True, "compression": "gzip"}, OWN]
)
@pytest.mark.parametrize("chunks", [(36, 64), (7, 20)])
def test_what_plain_h5py_writes_is_read(store, filters, chunks):
    steps = np.random.default_rng(0).integers(0, 65536, (36, 64), dtype=np.uint16)
    put(store, "depth", (36, 64), "u2", chunks=chunks, **filters)
    with h5py.File(store, "r+") as file:
        file["sample0/CAM_FRONT/depth"][()] = steps
    np.testing.assert_array_equal(SceneReader(store).read("sample0", "CAM_FRONT").depth_m, steps / 256)
