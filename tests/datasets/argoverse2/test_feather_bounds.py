"""A feather file that is small and claims to be large is refused before it is inflated."""

import os
import struct
from contextlib import suppress

import numpy as np
import pytest

from densegt.datasets.argoverse2 import feather, inflated_size
from densegt.datasets.argoverse2.feather import read_columns
from densegt.errors import InputError

pa = pytest.importorskip("pyarrow")
from pyarrow.feather import write_feather  # noqa: E402

ROWS = 100_000


def write(path, compression, **columns):
    columns = columns or {"x": np.arange(ROWS, dtype=np.float32)}
    write_feather(pa.table(columns), path, compression=compression, chunksize=ROWS // 2)
    return path


def refused(path, words, wanted=None):
    with pytest.raises(InputError, match=words) as told:
        read_columns(path, wanted or {"x": "f4"})
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
def test_sizes_are_those_that_come_out(tmp_path, compression):
    names = np.array(["a", "bb"] * (ROWS // 2))
    path = write(tmp_path / "table.feather", compression, x=np.arange(ROWS, dtype=np.float32), name=names)
    wanted = 2 * ROWS * 4 + ROWS * 3 // 2  # values, offsets, letters
    assert wanted <= inflated_size.inflated_bytes(pa.py_buffer(path.read_bytes())[8:]) <= wanted + 200
    columns = read_columns(path, {"x": "f4", "name": "U"})
    assert np.array_equal(columns["x"], np.arange(ROWS))
    assert list(columns["name"][:3]) == ["a", "bb", "a"]


@pytest.mark.parametrize("compression", ["lz4", "zstd"])
def test_what_inflates(tmp_path, monkeypatch, compression):
    path = write(tmp_path / "table.feather", compression, x=np.zeros(10 * ROWS, np.float32))
    assert path.stat().st_size < 1 << 17
    assert len(read_columns(path, {"x": "f4"})["x"]) == 10 * ROWS
    monkeypatch.setattr(feather, "MAX_SWEEP_BYTES", 1 << 20)
    refused(path, "3 MiB once inflated; at most 1 MiB")


@pytest.mark.parametrize("claim", [1 << 30, 1 << 40, (1 << 63) - 1])
def test_what_claims_to_inflate(tmp_path, claim):
    path = write(tmp_path / "table.feather", "lz4")
    own = struct.pack("<q", ROWS // 2 * 4)
    assert path.read_bytes().count(own) >= 2
    path.write_bytes(path.read_bytes().replace(own, struct.pack("<q", claim)))
    refused(path, "MiB once inflated")


def test_a_dictionary_that_inflates(tmp_path, monkeypatch):
    words = pa.DictionaryArray.from_arrays(pa.array([0, 1], pa.int8()), pa.array(["a" * (1 << 22), "b"]))
    path = write(tmp_path / "table.feather", "zstd", x=words)
    monkeypatch.setattr(feather, "MAX_SWEEP_BYTES", 1 << 21)
    refused(path, "4 MiB once inflated")


def test_too_many_rows(tmp_path, monkeypatch):
    path = write(tmp_path / "table.feather", "lz4")
    monkeypatch.setattr(feather, "MAX_ROWS", ROWS - 1)
    refused(path, f"{ROWS} rows of {ROWS - 1} at most")


def test_its_end_says_another_number_of_pieces(tmp_path):
    """As where it refers to one piece again and again."""
    path = write(tmp_path / "table.feather", "uncompressed")
    data = path.read_bytes()
    second = data.rindex(b"\xff\xff\xff\xff", 0, data.rindex(b"\xff\xff\xff\xff"))
    path.write_bytes(data[:second] + b"\xff\xff\xff\xff\0\0\0\0" + data[second + 8 :])
    refused(path, "1 pieces of 2")


@pytest.mark.parametrize("seed", range(4))
def test_headers_overwritten_anywhere(tmp_path, seed):
    rng = np.random.default_rng(seed)
    path = write(tmp_path / "table.feather", "lz4", x=np.arange(50, dtype=np.float32))
    data = path.read_bytes()
    for _ in range(50):
        at, noise = int(rng.integers(8, len(data) - 8)), rng.integers(0, 256, 4, dtype=np.uint8).tobytes()
        path.write_bytes(data[:at] + noise + data[at + 4 :])
        # Anything else that is raised fails the test.
        with suppress(InputError):
            assert len(read_columns(path, {"x": "f4"})["x"]) <= feather.MAX_ROWS


@pytest.mark.parametrize("what", ["pipe", "folder", "gigabytes", "missing"])
def test_what_is_no_feather_file(tmp_path, what):
    path = tmp_path / "table.feather"
    if what == "pipe":
        os.mkfifo(path)
    elif what == "folder":
        path.mkdir()
    elif what == "gigabytes":
        with path.open("wb") as file:
            file.truncate(1 << 34)
    refused(path, {"gigabytes": "more than 256 MiB", "missing": "No such file"}.get(what, "not a file"))
