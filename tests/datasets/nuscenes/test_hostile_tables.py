"""Tables that are no tables, of any size: one line, soon, in little memory."""

import tracemalloc

import pytest

from densegt.datasets.nuscenes import chunked_json, rows
from densegt.datasets.nuscenes.chunked_json import read_in_chunks
from densegt.datasets.nuscenes.rows import EgoPoseRow, QuickEgoPoseRow, SensorRow, read_rows
from densegt.errors import InputError

ROW = '{"token": "%d", "timestamp": 1, "rotation": [1, 0, 0, 0], "translation": [%s, 0, 0]}'


def sparse(path, start):
    """A file of 20 GB that takes no room on the disk."""
    with path.open("wb") as file:
        file.write(start)
        file.truncate(20 << 30)


@pytest.mark.parametrize("start", [b"", b"{", b"\x89PNG", b"  x", b"[", b'[{"token": "a"}, ', b"\xef\xbb\xbf["])
def test_a_file_of_gigabytes(tmp_path, monkeypatch, start):
    monkeypatch.setattr(rows, "MAX_WHOLE_BYTES", 1 << 22)
    monkeypatch.setattr(chunked_json, "MAX_WHOLE_BYTES", 1 << 22)
    monkeypatch.setattr(chunked_json, "_MAX_PIECE_BYTES", 1 << 22)
    path = tmp_path / "ego_pose.json"
    sparse(path, start)
    tracemalloc.start()
    try:
        for read in (
            lambda: read_rows(path, SensorRow),
            lambda: list(read_in_chunks(path, EgoPoseRow, QuickEgoPoseRow)),
        ):
            with pytest.raises(InputError, match=r"ego_pose\.json: ") as caught:
                read()
            assert "\n" not in str(caught.value)
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("number", ["5", "NaN"])
def test_of_a_large_table_a_piece_that_is_slow_to_read_is_read_alone(tmp_path, monkeypatch, number):
    monkeypatch.setattr(chunked_json, "MAX_WHOLE_BYTES", 1 << 12)
    path = tmp_path / "ego_pose.json"
    path.write_text("[" + ",\n".join(ROW % (k, number if k == 3000 else "5") for k in range(4000)) + "]")
    found = [row.token for piece in read_in_chunks(path, EgoPoseRow, QuickEgoPoseRow) for row in piece]
    assert found == [str(k) for k in range(4000)]


def test_of_a_large_table_the_row_that_is_wrong_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(chunked_json, "MAX_WHOLE_BYTES", 1 << 12)
    path = tmp_path / "ego_pose.json"
    path.write_text("[" + ",".join(ROW % (k, '"x"' if k == 3000 else "5") for k in range(4000)) + "]")
    with pytest.raises(InputError, match=r"ego_pose\.json: Expected `float`, got `str`"):
        list(read_in_chunks(path, EgoPoseRow, QuickEgoPoseRow))


def test_a_table_without_a_place_to_cut_is_searched_once(tmp_path, monkeypatch):
    """Not again and again from its beginning, which took minutes."""
    searched = []

    class Counting(bytearray):
        def rfind(self, what, start=0):
            searched.append(len(self) - start)
            return super().rfind(what, start)

        def __iadd__(self, more):
            self.extend(more)
            return self

    path = tmp_path / "ego_pose.json"
    path.write_bytes(b"[" + b"[]," * (1 << 20) + b"[]]")
    monkeypatch.setattr(chunked_json, "bytearray", Counting, raising=False)
    with pytest.raises(InputError, match="Expected `object`, got `array`"):
        list(read_in_chunks(path, EgoPoseRow, QuickEgoPoseRow))
    assert path.stat().st_size <= sum(searched) < 1.1 * path.stat().st_size
