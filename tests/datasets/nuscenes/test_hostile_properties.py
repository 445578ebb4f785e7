"""Whatever stands in a sweep, a table or an index, each reader gives a right answer or one line that names the file."""

import json
import math
import struct

import numpy as np
import pytest
from click.testing import CliRunner
from densegt.cli.main import group
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from densegt.datasets.float_rows import MAX_POINTS, MAX_RANGE_M
from densegt.datasets.nuscenes import NuScenes, chunked_json
from densegt.datasets.nuscenes.findings import ROW_TYPES
from densegt.datasets.nuscenes.rows import SampleRow, read_rows
from densegt.datasets.nuscenes.sweep_file import BYTES_PER_POINT, read_points
from densegt.datasets.recording import RecordingOptions
from densegt.datasets.scene import Lidar, Sweep
from densegt.errors import InputError

from ..copies import change, first_file, replace, rows_of, table
from .test_index import described

# Each input is read anew, many times over.
pytestmark = pytest.mark.slow

# The damaged copy is the same for all examples; each puts back what it changed.
ON_ONE_COPY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10)
READ = ("scene", "sample", "sensor", "calibrated_sensor", "sample_data", "ego_pose", "category", "instance",
        "sample_annotation")  # fmt: skip


def read_all(root, index=None):
    dataset = NuScenes(root, index=index)
    scenes = [dataset.scene(name) for name in dataset.scene_names]
    return [(described(s), [s.read_points(m).xyz_lidar.tobytes() for m in s.sweeps[:1]]) for s in scenes]


def said(work):
    """What a reader gives, or its one line."""
    try:
        return work(), None
    except InputError as error:
        words = str(error)
        assert words
        assert "\n" not in words
        return None, words


# --- sweeps ---


def read_points_slowly(data):
    """The twin of `read_points`: x, y, z, intensity of the rows that are kept, None where it is no sweep."""
    if not data or len(data) % 20:
        return None
    rows = [row for row in struct.iter_unpack("<5f", data) if all(map(math.isfinite, row))]
    kept = [row for row in rows if all(abs(x) < MAX_RANGE_M for x in row[:3])]
    with_ring = [row for row in kept if row[4].is_integer() and -1 <= row[4] <= 1023]
    return None if not rows or 2 * len(with_ring) < len(rows) else [row[:4] for row in kept]


def read_without_ring_slowly(data):
    """The same of rows without a ring: five numbers, the last a time, or four; None where it is neither."""
    for width in (5, 4):
        if len(data) % (4 * width) or (width == 4 and has_rings(data)):
            continue
        rows = [row for row in struct.iter_unpack(f"<{width}f", data) if all(map(math.isfinite, row))]
        sound = [row for row in rows if all(abs(x) < MAX_RANGE_M for x in row[:3]) and row[3] >= 0]
        times = [row[4] for row in rows if width == 5]
        if sound and len(sound) >= 0.95 * len(rows) and (not times or max(times) - min(times) <= 1):
            return [row[:4] for row in sound]
    return None


def has_rings(data):
    rows = list(struct.iter_unpack("<5f", data[: len(data) // 20 * 20]))
    rings = [row for row in rows if math.isfinite(row[4]) and row[4] == math.floor(row[4]) and row[4] <= 1023]
    return bool(rows) and 2 * len(rings) >= len(rows)


number = st.one_of(
    st.floats(-90, 90, width=32),
    st.floats(width=32),
    st.sampled_from([math.nan, math.inf, -math.inf, 1000.0, 999.9375, -1000.0, 3e38, 1e-45, -0.0]).map(np.float32),
)
ring = st.one_of(
    st.integers(0, 31).map(float), st.floats(width=32), st.sampled_from([-1.0, 255.0, 1023.0, 1024.0, 0.5])
)
sweep_bytes = st.one_of(
    st.binary(max_size=400),
    st.integers(0, 30).flatmap(lambda n: st.binary(min_size=20 * n, max_size=20 * n)),
    st.lists(st.tuples(number, number, number, number, ring), max_size=12).map(
        lambda rows: b"".join(struct.pack("<5f", *map(float, row)) for row in rows)
    ),
)


def as_sweep(path):
    return Sweep("token", "sample", True, path, 0, Lidar("LIDAR_TOP", np.eye(4)), np.eye(4))


@given(data=sweep_bytes)
@example(data=b"")
@example(data=bytes(20))
@settings(ON_ONE_COPY, max_examples=200)
def test_any_bytes_as_a_sweep(tmp_path, data):
    path = tmp_path / "one.pcd.bin"
    path.write_bytes(data)
    points, words = said(lambda: read_points(as_sweep(path)))
    expected = read_points_slowly(data)
    if expected is None:
        expected = read_without_ring_slowly(data)
    if expected is None:
        assert points is None
        assert str(path) in words
    else:
        got = np.column_stack([points.xyz_lidar, points.intensity])
        np.testing.assert_array_equal(got, np.array(expected, dtype=np.float32).reshape(-1, 4))


# Not 16: then the intensity, a whole number too, stands in the ring's place, and a ring is a possible x.
@pytest.mark.parametrize("lost_bytes", [4, 8, 12])
def test_a_sweep_that_lost_its_first_bytes_is_not_read_askew(tiny_dataset, tmp_path, lost_bytes):
    data = first_file(tiny_dataset, "sweeps/LIDAR_TOP/*").read_bytes()
    path = tmp_path / "one.pcd.bin"
    path.write_bytes(data[lost_bytes : lost_bytes - BYTES_PER_POINT])
    with pytest.raises(InputError, match=r"one\.pcd\.bin: only \d+ of \d+ finite rows"):
        read_points(as_sweep(path))


def test_noise_and_nothing_but_nan_are_no_sweeps(tmp_path):
    path = tmp_path / "one.pcd.bin"
    for data in (np.random.default_rng(0).bytes(20_000), np.full((50, 5), np.nan, "<f4").tobytes()):
        path.write_bytes(data)
        with pytest.raises(InputError, match="damaged"):
            read_points(as_sweep(path))


def test_an_oversized_sweep_is_not_read_into_memory(damaged):
    sweep = first_file(damaged, "samples/LIDAR_TOP/*")
    replace(sweep, b"")
    with sweep.open("r+b") as file:
        file.truncate((MAX_POINTS + 1) * BYTES_PER_POINT)
    with pytest.raises(InputError, match="at most 10000000 points"):
        NuScenes(damaged, options=RecordingOptions(strict=True)).scene("scene-0001")
    with pytest.raises(InputError, match="at most 10000000 points"):
        read_points(as_sweep(sweep))


def test_an_image_of_another_size(damaged):
    import cv2

    image = first_file(damaged, "samples/CAM_FRONT/*")
    _, encoded = cv2.imencode(".jpg", np.zeros((45, 80, 3), np.uint8))
    replace(image, encoded.tobytes())
    with pytest.raises(InputError, match=r"80x45 px, but sample_data\.json says 160x90"):
        NuScenes(damaged, options=RecordingOptions(strict=True)).scene("scene-0001")


# --- tables ---

json_value = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=8),
        st.sampled_from(["../../etc/passwd", "/etc/passwd", "a/../../b", "samples", "\ud800", "a\0b", "a\nb"]),
        st.just("x" * 5000),
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=6,
)  # fmt: skip


@given(name=st.sampled_from(READ), value=json_value, seed=st.integers(0, 1000), index=st.booleans())
@ON_ONE_COPY
def test_any_value_in_any_field(damaged, tmp_path, name, value, seed, index):
    whole, path = read_all(damaged), table(damaged, name)
    before = path.read_bytes()
    rows = rows_of(damaged, name)
    row = rows[seed % len(rows)]
    field = sorted(row)[seed % len(row)]
    same = row[field] == value and type(row[field]) is type(value)
    replace(path, json.dumps([{**r, field: value} if r is row else r for r in rows]).encode())
    try:
        scenes, words = said(lambda: read_all(damaged, tmp_path / "one.index" if index else None))
        checked = CliRunner().invoke(group, ["check", "--dataroot", str(damaged)], standalone_mode=False)
        assert checked.exception is None
        # What the reader will not read, the check finds.
        assert words is None or checked.return_value == 1, words
        assert not same or scenes == whole
    finally:
        replace(path, before)


@given(name=st.sampled_from(sorted(ROW_TYPES)), data=st.data())
@ON_ONE_COPY
def test_a_table_cut_or_overwritten_anywhere(damaged, name, data):
    path = table(damaged, name)
    before = path.read_bytes()
    at = data.draw(st.integers(0, len(before) - 1))
    noise = data.draw(st.binary(max_size=4))
    kept = data.draw(st.booleans())
    replace(path, before[:at] + noise + (before[at + len(noise) :] if kept else b""))
    try:
        _, words = said(lambda: read_all(damaged))
        checked = CliRunner().invoke(group, ["check", "--dataroot", str(damaged)], standalone_mode=False)
        assert checked.exception is None
        assert words is None or checked.return_value == 1
    finally:
        replace(path, before)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
def test_other_encodings_of_unicode_read_the_same(damaged, encoding):
    whole = read_all(damaged)
    for name in READ:
        replace(table(damaged, name), table(damaged, name).read_text().encode(encoding))
    assert read_all(damaged) == whole


def test_another_encoding_is_said_to_be_no_json(damaged):
    path = table(damaged, "sample_data")
    replace(path, path.read_text().encode("cp037"))
    with pytest.raises(InputError, match=r"sample_data\.json: not whole JSON"):
        read_all(damaged)


def test_a_name_outside_unicode_is_said(damaged):
    change(damaged, "sample_data", 0, filename="samples/\ud800.bin")
    with pytest.raises(InputError, match=r"sample_data\.json: not whole JSON"):
        read_all(damaged)


@pytest.mark.parametrize("name", ["sample", "sample_data", "sample_annotation"])
def test_a_chain_that_bites_its_tail_reads_and_is_found(damaged, name):
    whole = read_all(damaged)
    token = rows_of(damaged, name)[0]["token"]
    change(damaged, name, 0, next=token, prev=token)
    assert read_all(damaged) == whole
    assert CliRunner().invoke(group, ["check", "--dataroot", str(damaged)], standalone_mode=False).return_value == 1


def test_a_pipe_in_place_of_a_table_does_not_hang(damaged):
    import os

    for name in ("scene", "ego_pose"):
        before = table(damaged, name).read_bytes()
        table(damaged, name).unlink()
        os.mkfifo(table(damaged, name))
        with pytest.raises(InputError, match=rf"{name}\.json: not a file"):
            read_all(damaged)
        table(damaged, name).unlink()
        table(damaged, name).write_bytes(before)


# --- chunks ---

row = st.fixed_dictionaries(
    {
        "token": st.text(st.characters(codec="utf-8"), max_size=6) | st.sampled_from(["},", '},{"', "]", "\\"]),
        "timestamp": st.integers(0, 2**62),
        "scene_token": st.just("s"),
        "prev": st.just(""),
        "next": st.just(""),
    },
    optional={"more": st.sampled_from([{"a": {"b": 1}, "c": 2}, [{}, {}], "},{", None, 1.5])},
)


@given(
    rows=st.lists(row, max_size=12),
    separators=st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", ": ")]),
    indent=st.sampled_from([None, 0, 1]),
    size=st.integers(1, 90),
    damage=st.sampled_from(["", "", "trailing comma", "no end", "more behind", "two commas"]),
)
@settings(ON_ONE_COPY, max_examples=200)
def test_chunks_are_the_whole(tmp_path, rows, separators, indent, size, damage):
    text = json.dumps(rows, separators=separators, indent=indent)
    text = {
        "": text,
        "trailing comma": text[:-1] + ",]",
        "no end": text[:-1],
        "more behind": text + ",{}",
        "two commas": text.replace("}", "},", 1),
    }[damage]
    path = tmp_path / "sample.json"
    path.write_text(text)
    whole, why_not = said(lambda: read_rows(path, SampleRow))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunked_json, "PIECE_BYTES", size)
        together = said(lambda: [r for chunk in chunked_json.read_in_chunks(path, SampleRow, SampleRow) for r in chunk])
    assert together == (whole, why_not)
    assert damage in ("", "two commas") or why_not
