"""What a small file may ask for: nothing waits for a pipe, and no claim of a size is believed."""

import os
import zipfile

import numpy as np
import pytest

from densegt.datasets import bounded_file, pcd, sweep_columns
from densegt.datasets.custom import csv_table
from densegt.datasets.custom.sweep_file import read_sweep
from densegt.datasets.kitti_raw.text_files import read_named_lines, read_stamps_us
from densegt.errors import InputError
from tests.datasets.writers.custom import write_pcd

TABLE = np.arange(3000, dtype=np.float32).reshape(-1, 3)


def refused(read, path, words, *more):
    """The one line of a refusal."""
    with pytest.raises(InputError, match=words) as told:
        read(path, *more)
    assert str(told.value).startswith(f"{path}: ")
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 500


READERS = {
    "pcd": lambda path: read_sweep(path, None),
    "npy": lambda path: read_sweep(path, None),
    "npz": lambda path: read_sweep(path, None),
    "csv": lambda path: csv_table.read_columns(path, csv_table.POSE_COLUMNS),
    "lines": read_named_lines,
    "stamps": read_stamps_us,
}


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("what", ["pipe", "folder", "gigabytes", "missing"])
def test_what_is_no_file_of_its_kind(tmp_path, kind, what):
    path = tmp_path / f"file.{kind}"
    if what == "pipe":
        os.mkfifo(path)
    elif what == "folder":
        path.mkdir()
    elif what == "gigabytes":
        with path.open("wb") as file:
            file.truncate(1 << 34)
    words = {"gigabytes": "more than [0-9]+ MiB", "missing": "No such file"}.get(what, "not a file")
    refused(READERS[kind], path, words)


def test_a_file_is_read_whole(tmp_path):
    (tmp_path / "file").write_bytes(b"x" * 100)
    assert bounded_file.read_bounded(tmp_path / "file", 100) == b"x" * 100
    refused(bounded_file.read_bounded, tmp_path / "file", "more than 0 MiB", 99)


# --- PCD ---


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({b"POINTS 1000": b"POINTS 99999999999"}, "99999999999 points"),
        ({b"POINTS 1000": b"POINTS 9999999"}, "cut off"),
        ({b"COUNT 1 1 1": b"COUNT 1 1 999"}, "cut off"),
        ({b"POINTS 1000": b"POINTS 9000000", b"COUNT 1 1 1": b"COUNT 1 1 7"}, "9000000 points of 36 bytes"),
        ({b"COUNT 1 1 1": b"COUNT 1 1 99999"}, "COUNT 99999"),
        ({b"SIZE 4 4 4": b"SIZE 4 4 9"}, "not a whole PCD header"),
    ],
)
def test_absurd_counts_in_a_pcd(tmp_path, changes, words):
    path = tmp_path / "sweep.pcd"
    write_pcd(path, TABLE, "x y z")
    data = path.read_bytes()
    for before, after in changes.items():
        assert before in data, data[:300]
        data = data.replace(before, after)
    path.write_bytes(data)
    refused(pcd.read_pcd, path, words)


@pytest.mark.parametrize("piece", [7, 64, 1000, 1 << 20])
def test_a_pcd_in_text_is_read_in_pieces(tmp_path, monkeypatch, piece):
    write_pcd(tmp_path / "sweep.pcd", TABLE, "x y z", encoding="ascii")
    monkeypatch.setattr(pcd, "_PIECE_BYTES", piece)
    columns = pcd.read_pcd(tmp_path / "sweep.pcd")
    assert np.array_equal(np.stack([columns[name] for name in "xyz"], axis=1), TABLE)


@pytest.mark.parametrize(
    ("more", "words"), [(b"1 ", "there are more"), (b"1" * 5000, "there are more"), (b"x", "should follow")]
)
def test_a_pcd_in_text_with_more_in_it(tmp_path, monkeypatch, more, words):
    path = tmp_path / "sweep.pcd"
    monkeypatch.setattr(pcd, "_PIECE_BYTES", 1000)
    write_pcd(path, TABLE, "x y z", encoding="ascii")
    path.write_bytes(path.read_bytes() + b" " + more)
    refused(pcd.read_pcd, path, words)


def test_a_pcd_in_text_with_fewer_or_too_many_numbers(tmp_path, monkeypatch):
    path = tmp_path / "sweep.pcd"
    write_pcd(path, TABLE, "x y z", encoding="ascii")
    path.write_bytes(path.read_bytes()[:-20])
    refused(pcd.read_pcd, path, "there are 29[0-9][0-9]")
    monkeypatch.setattr(pcd, "MAX_NUMBERS", 2999)
    refused(pcd.read_pcd, path, "at most 2999 are read")


# --- NPY, NPZ ---


@pytest.mark.parametrize("shape", ["(1000000000000, 3)", "(3000000000,)", "(1000, 3, 1000000)", "(" * 500])
def test_an_npy_that_claims_more_than_it_has(tmp_path, shape):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    path = tmp_path / "sweep.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + TABLE.tobytes())
    refused(sweep_columns.read_columns, path, "not a whole NPY file")


def test_an_npz_that_inflates(tmp_path, monkeypatch):
    path = tmp_path / "sweep.npz"
    np.savez_compressed(path, **dict.fromkeys("xyz", np.zeros(1 << 20)))
    assert path.stat().st_size < 1 << 16
    assert len(sweep_columns.read_columns(path)["x"]) == 1 << 20
    monkeypatch.setattr(sweep_columns, "MAX_SWEEP_BYTES", 1 << 20)
    refused(sweep_columns.read_columns, path, "3 arrays of 25166208 bytes")


def test_an_npz_that_inflates_to_more_than_it_says(tmp_path):
    path = tmp_path / "sweep.npz"
    np.savez_compressed(path, **dict.fromkeys("xyz", np.zeros(1 << 20)))
    size = (8 << 20) + 128
    path.write_bytes(path.read_bytes().replace(size.to_bytes(4, "little"), (4096).to_bytes(4, "little")))
    refused(sweep_columns.read_columns, path, "not a whole NPZ file")


def test_an_npz_of_many_arrays(tmp_path):
    path = tmp_path / "sweep.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for k in range(1000):
            archive.writestr(f"{k}.npy", b"")
    refused(sweep_columns.read_columns, path, "1000 arrays")


# --- text ---


def test_a_csv_of_too_many_rows(tmp_path, monkeypatch):
    path = tmp_path / "poses.csv"
    path.write_text(",".join(csv_table.POSE_COLUMNS) + "\n" + "1,2,3,4,5,6,7,8\n" * 100)
    assert len(csv_table.read_columns(path, csv_table.POSE_COLUMNS)["x"]) == 100
    monkeypatch.setattr(csv_table, "MAX_CELLS", 80)
    refused(READERS["csv"], path, "more than 10 rows")
