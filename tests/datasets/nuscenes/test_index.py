"""The index gives what the tables give, notices when it no longer fits them, and is never half there."""

import logging
import os
import pickle
import shutil
import subprocess
import sys

import numpy as np
import pytest

from densegt.datasets.nuscenes import NuScenes, index_location
from densegt.datasets.nuscenes import tables as tables_module
from densegt.datasets.nuscenes.index import PARTIAL
from densegt.errors import InputError

from ..copies import change, rows_of, table, write_rows


def described(value):
    """A scene as plain values, so that two can be compared in full."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, tuple):
        return tuple(described(v) for v in value)
    if hasattr(value, "__dataclass_fields__"):
        return {name: described(getattr(value, name)) for name in value.__dataclass_fields__ if name != "read_points"}
    return value


def scene_of(root, index=None):
    dataset = NuScenes(root, index=index)
    (name, *_) = dataset.scene_names
    return dataset.steps(name), dataset.keyframe_count(name), described(dataset.scene(name))


@pytest.fixture
def builds(monkeypatch):
    """Counts how often the tables are read."""
    counted = []
    honest = tables_module.load_tables
    monkeypatch.setattr(tables_module, "load_tables", lambda folder: counted.append(folder) or honest(folder))
    return counted


@pytest.fixture
def index(tmp_path):
    return tmp_path / "indices" / "one.index"


def test_the_index_gives_what_the_tables_give(tiny_dataset, index, builds):
    plain = scene_of(tiny_dataset)
    assert scene_of(tiny_dataset, index) == plain
    assert len(builds) == 2
    assert scene_of(tiny_dataset, index) == plain
    assert len(builds) == 2
    assert os.listdir(index.parent) == ["one.index"]


def test_real_recordings_through_the_index(recording, index):
    assert scene_of(recording, index) == scene_of(recording)
    assert scene_of(recording, index) == scene_of(recording)


@pytest.mark.parametrize("name", ["scene", "sample", "sample_data", "ego_pose", "calibrated_sensor", "sensor"])
def test_a_changed_table_makes_it_stale(damaged, index, builds, name):
    scene_of(damaged, index)
    os.utime(table(damaged, name), ns=(0, 1_000_000_000))
    scene_of(damaged, index)
    scene_of(damaged, index)
    assert len(builds) == 2


def test_what_was_changed_is_seen(damaged, index):
    before = NuScenes(damaged, index=index).scene("scene-0001").tracks
    assert before
    write_rows(damaged, "sample_annotation", [])
    assert NuScenes(damaged, index=index).scene("scene-0001").tracks == ()


def test_a_table_that_goes_bad_is_named_though_there_is_an_index(damaged, index):
    scene_of(damaged, index)
    change(damaged, "sample_data", 0, sample_token="nobody")
    with pytest.raises(InputError, match=r"sample_data\.json: no sample has token 'nobody'"):
        scene_of(damaged, index)
    table(damaged, "ego_pose").unlink()
    with pytest.raises(InputError, match="json"):
        scene_of(damaged, index)
    assert os.listdir(index.parent) == ["one.index"]


@pytest.mark.parametrize("keep", [0, 1, 7, 27, 28, 500, -1, -40])
def test_a_truncated_index_is_made_anew(tiny_dataset, index, builds, keep):
    plain = scene_of(tiny_dataset, index)
    whole = index.read_bytes()
    index.write_bytes(whole[:keep])
    assert scene_of(tiny_dataset, index) == plain
    assert len(builds) == 2
    assert index.read_bytes() == whole


def test_any_damaged_byte_is_noticed(tiny_dataset, index, builds):
    plain = scene_of(tiny_dataset, index)
    whole = index.read_bytes()
    places = [*range(28), *np.random.default_rng(0).integers(28, len(whole), 40).tolist(), len(whole) - 1]
    for number, at in enumerate(places, start=2):
        index.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        assert scene_of(tiny_dataset, index) == plain
        assert len(builds) == number, at


def test_damage_that_comes_while_it_is_open(tiny_dataset, index, builds):
    plain = scene_of(tiny_dataset, index)
    dataset = NuScenes(tiny_dataset, index=index)
    dataset.steps("scene-0001")
    with index.open("r+b") as file:
        file.truncate(100)
    assert described(dataset.scene("scene-0001")) == plain[2]
    assert len(builds) == 2
    assert scene_of(tiny_dataset, index) == plain
    assert len(builds) == 2


def test_another_format_version_is_made_anew(tiny_dataset, index, builds, monkeypatch):
    monkeypatch.setattr("densegt.datasets.nuscenes.index.FORMAT_VERSION", 99)
    scene_of(tiny_dataset, index)
    monkeypatch.undo()
    assert scene_of(tiny_dataset, index) == scene_of(tiny_dataset)


def test_an_index_of_another_dataset_is_not_taken(tiny_dataset, recording, index):
    scene_of(tiny_dataset, index)
    assert scene_of(recording, index) == scene_of(recording)


def test_a_dataset_goes_to_another_process(tiny_dataset, index):
    dataset = NuScenes(tiny_dataset, index=index)
    here = described(dataset.scene("scene-0001"))
    assert described(pickle.loads(pickle.dumps(dataset)).scene("scene-0001")) == here


# --- where it lies ---


@pytest.fixture
def large(damaged, tmp_path, monkeypatch):
    """A dataset whose tables count as large, and a cache folder of its own."""
    monkeypatch.setattr(tables_module, "SMALL_BYTES", 0)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(index_location.ENVIRONMENT, raising=False)
    return damaged


def indices(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.index"))


def test_small_tables_leave_nothing_behind(damaged, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    scene_of(damaged)
    assert indices(tmp_path) == []


def test_large_tables_are_indexed_beside_them_and_it_is_said(large, tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        scene_of(large)
    assert indices(tmp_path) == ["damaged/v1.0-mini/densegt-tables.2.index"]
    (record,) = caplog.records
    assert str(large / "v1.0-mini" / "densegt-tables.2.index") in record.getMessage()
    caplog.clear()
    scene_of(large)
    assert not caplog.records


def refuse(monkeypatch, *folders):
    """Make folders that cannot be written to. The superuser may write anywhere, so permissions would not do."""
    honest = index_location.on_disk

    def on_disk(path, recipe):
        if any(path.is_relative_to(folder) for folder in folders):
            raise PermissionError(13, "Permission denied")
        return honest(path, recipe)

    monkeypatch.setattr(index_location, "on_disk", on_disk)


def test_a_dataset_that_cannot_be_written_to_has_its_index_in_the_cache(large, tmp_path, monkeypatch, builds):
    refuse(monkeypatch, large)
    plain = scene_of(large)
    (found,) = indices(tmp_path)
    assert found.startswith("cache/densegt/tables/v1.0-mini-")
    assert scene_of(large) == plain
    assert len(builds) == 1


def test_two_datasets_do_not_share_one_in_the_cache(large, tmp_path, monkeypatch):
    other = shutil.copytree(large, tmp_path / "other")
    refuse(monkeypatch, large, other)
    scene_of(large)
    scene_of(other)
    assert len(indices(tmp_path)) == 2


def test_where_nothing_can_be_written_it_still_reads(large, tmp_path, monkeypatch, builds):
    refuse(monkeypatch, tmp_path)
    steps = NuScenes(large).steps("scene-0001")
    assert scene_of(large)[0] == steps
    assert indices(tmp_path) == []
    assert len(builds) == 2


def test_a_full_disk_leaves_no_partial_file(large, tmp_path, monkeypatch):
    from densegt.datasets.nuscenes import index as index_module

    honest = index_module._write

    def full(file, recipe):
        honest(file, recipe)
        if hasattr(file, "fileno") and not hasattr(file, "getvalue"):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(index_module, "_write", full)
    scene_of(large)
    assert indices(tmp_path) == []
    assert not list(tmp_path.rglob(f"*{PARTIAL}"))


def test_a_chosen_folder_is_the_only_one(large, tmp_path, monkeypatch):
    monkeypatch.setenv(index_location.ENVIRONMENT, str(tmp_path / "chosen"))
    scene_of(large)
    (found,) = indices(tmp_path)
    assert found.startswith("chosen/v1.0-mini-")


def test_what_a_killed_builder_left_is_removed(tiny_dataset, index):
    index.parent.mkdir()
    left = index.with_name(f".{index.name}.0123{PARTIAL}")
    left.write_bytes(b"half")
    scene_of(tiny_dataset, index)
    assert os.listdir(index.parent) == [index.name]


def test_a_builder_killed_at_any_moment_leaves_no_index_that_is_used(tiny_dataset, index):
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom densegt.datasets.nuscenes import NuScenes, index\n"
        "honest = os.replace\nindex.os.replace = lambda *a: os.kill(os.getpid(), 9)\n"
        f"NuScenes(Path({str(tiny_dataset)!r}), index=Path({str(index)!r})).steps('scene-0001')\n"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == -9
    assert [p.name for p in index.parent.iterdir() if not p.name.endswith(PARTIAL)] == []
    assert scene_of(tiny_dataset, index) == scene_of(tiny_dataset)
    assert os.listdir(index.parent) == [index.name]


def test_builders_at_one_time_do_no_harm(tiny_dataset, index):
    code = (
        "from pathlib import Path\nfrom densegt.datasets.nuscenes import NuScenes\n"
        f"print(NuScenes(Path({str(tiny_dataset)!r}), index=Path({str(index)!r})).steps('scene-0001'))\n"
    )
    at_once = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    said = {process.communicate(timeout=60)[0] for process in at_once}
    assert said == {f"{NuScenes(tiny_dataset).steps('scene-0001')}\n"}
    assert os.listdir(index.parent) == [index.name]


def test_a_builder_that_is_stuck_holds_nobody_up_for_ever(tiny_dataset, index, monkeypatch):
    import fcntl

    index.parent.mkdir()
    monkeypatch.setattr(index_location, "MAX_WAIT_S", 0.3)
    folder = os.open(index.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        assert scene_of(tiny_dataset, index) == scene_of(tiny_dataset)
    finally:
        os.close(folder)


def test_scenes_do_not_mix(damaged, index):
    """Each of two scenes, of which one comes first in half of the tables, gets its own rows."""
    (scene,) = rows_of(damaged, "scene")
    samples = rows_of(damaged, "sample")
    last = samples[-1]["token"]
    write_rows(damaged, "scene", [{**scene, "token": "other", "name": "other"}, scene])
    write_rows(damaged, "sample", [*samples[:-1], {**samples[-1], "scene_token": "other"}])
    dataset = NuScenes(damaged, index=index)
    other, first = dataset.scene("other"), dataset.scene(scene["name"])
    assert {s.sample_token for s in other.sweeps} == {c.sample_token for c in other.cameras} == {last}
    assert {s.sample_token for s in first.sweeps} == {row["token"] for row in samples[:-1]}
    assert dataset.keyframe_count("other") == 1
    assert dataset.keyframe_count(scene["name"]) == len(samples) - 1
    stamps = {row["timestamp"] for row in samples[:-1]}
    assert {int(us) for t in first.tracks for us in t.timestamps_us} <= stamps
    assert {int(us) for t in other.tracks for us in t.timestamps_us} == {samples[-1]["timestamp"]}
