"""One bad thing loses itself, not its scene: it is left out, counted and named; strict refuses."""

import json
from dataclasses import replace as changed

import h5py
import numpy as np
import pytest
from click.testing import CliRunner
from densegt.cli.main import group

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.scene_input import examine
from densegt.datasets.nuscenes import NuScenes
from densegt.datasets.recording import RecordingOptions
from densegt.datasets.set_aside import SetAside, in_one_line
from densegt.errors import InputError

from ..copies import change, first_file, replace, rows_of, table, write_rows

# Whole scenes are simulated, read or rendered.
pytestmark = pytest.mark.slow

NAN = float("nan")
STRICT = RecordingOptions(strict=True)


def scene_of(root, **options):
    return NuScenes(root, options=RecordingOptions(**options)).scene("scene-0001")


def sets_aside(root, whole, *expected):
    """Asserts what is left out, as (what, words); that the rest is there; and that strict refuses with these words."""
    scene = scene_of(root)
    assert [thing.what for thing in scene.set_aside] == [what for what, _ in expected]
    for thing, (_, words) in zip(scene.set_aside, expected, strict=True):
        assert words in str(thing)
    left_out = [what for what, _ in expected]
    assert len(scene.sweeps) == len(whole.sweeps) - left_out.count("sweep")
    assert len(scene.cameras) == len(whole.cameras) - left_out.count("image")
    with pytest.raises(InputError) as refused:
        scene_of(root, strict=True)
    assert expected[0][1] in str(refused.value)
    return scene


@pytest.fixture
def whole(tiny_dataset):
    return NuScenes(tiny_dataset).scene("scene-0001")


def test_a_good_recording_loses_nothing(whole):
    assert whole.set_aside == ()
    assert whole.notes == ()
    assert in_one_line(whole.set_aside) == ()


@pytest.mark.parametrize("pattern", ["sweeps/LIDAR_TOP/*", "samples/LIDAR_TOP/*", "samples/CAM_BACK/*"])
def test_a_missing_file(damaged, whole, pattern):
    path = first_file(damaged, pattern)
    path.unlink()
    sets_aside(damaged, whole, ("image" if "CAM" in pattern else "sweep", f"{path}: named in sample_data.json but not"))


@pytest.mark.parametrize("data", [b"", b"x" * 21, b"x" * 9999], ids=["empty", "21", "9999"])
def test_a_sweep_that_is_cut_off(damaged, whole, data):
    path = first_file(damaged, "sweeps/LIDAR_TOP/*")
    replace(path, data)
    sets_aside(damaged, whole, ("sweep", str(path)))


@pytest.mark.parametrize("data", [b"\xff\xd8", b"GIF89a", b""])
def test_an_image_that_is_none(damaged, whole, data):
    path = first_file(damaged, "samples/CAM_FRONT/*")
    replace(path, data)
    sets_aside(damaged, whole, ("image", str(path)))


def test_keyframe_blobs_only(damaged, whole):
    for path in damaged.glob("sweeps/LIDAR_TOP/*"):
        path.unlink()
    scene = scene_of(damaged)
    assert len(scene.sweeps) == sum(sweep.is_keyframe for sweep in whole.sweeps)
    assert len(scene.sweeps) + len(scene.set_aside) == len(whole.sweeps)
    (line,) = in_one_line(scene.set_aside)
    assert line.startswith(f"went on without {len(scene.set_aside)} sweeps (")
    assert f"and {len(scene.set_aside) - 1} more" in line
    assert "--strict" in line
    only = NuScenes(damaged, options=STRICT).scene("scene-0001", keyframes_only=True)
    assert [sweep.token for sweep in only.sweeps] == [sweep.token for sweep in scene.sweeps]


@pytest.mark.parametrize("folder", ["LIDAR_TOP", "CAM*"])
def test_without_one_sweep_or_image_a_scene_is_refused(damaged, folder):
    for path in damaged.glob(f"s*/{folder}/*"):
        path.unlink()
    with pytest.raises(InputError, match=r"not one of \d+ (sweep|image)s can be used; .*not there"):
        scene_of(damaged)


@pytest.mark.parametrize(
    "fields", [{"size": [0, 1, 1]}, {"size": [1, NAN, 1]}, {"rotation": [0, 0, 0, 0]}, {"translation": [NAN, 0, 0]}]
)
def test_a_box_that_is_none(damaged, whole, fields):
    row = change(damaged, "sample_annotation", 0, **fields)
    scene = sets_aside(damaged, whole, ("box", row["token"]))
    boxes = sum(len(track.timestamps_us) for track in scene.tracks)
    assert boxes == sum(len(track.timestamps_us) for track in whole.tracks) - 1


@pytest.mark.parametrize("name", ["category", "instance", "sample_annotation"])
def test_without_a_table_of_labels_there_are_no_boxes(damaged, whole, name):
    table(damaged, name).unlink()
    assert sets_aside(damaged, whole, ("label table", f"{name}.json")).tracks == ()
    assert all(len(keyframe.boxes.categories) == 0 for keyframe in NuScenes(damaged).keyframes("scene-0001"))


@pytest.mark.parametrize("fields", [{"rotation": [NAN, 0, 0, 1]}, {"rotation": [0] * 4}, {"translation": [NAN, 0, 0]}])
def test_a_pose_that_is_none(damaged, whole, fields):
    token = whole.sweeps[3].token
    (row,) = [row for row in rows_of(damaged, "sample_data") if row["token"] == token]
    (number,) = [i for i, pose in enumerate(rows_of(damaged, "ego_pose")) if pose["token"] == row["ego_pose_token"]]
    change(damaged, "ego_pose", number, **fields)
    scene = sets_aside(damaged, whole, ("sweep", row["ego_pose_token"]))
    assert token not in {sweep.token for sweep in scene.sweeps}


@pytest.mark.parametrize("again", [{}, {"token": "f" * 32}, {"token": "f" * 32, "filename": "elsewhere.pcd.bin"}])
@pytest.mark.parametrize("of", ["sweeps/LIDAR_TOP", "samples/LIDAR_TOP", "samples/CAM_FRONT"])
def test_what_is_listed_twice_counts_once(damaged, whole, again, of):
    rows = rows_of(damaged, "sample_data")
    row = next(row for row in rows if row["filename"].startswith(of))
    write_rows(damaged, "sample_data", [*rows, {**row, **again}])
    scene = scene_of(damaged)
    assert [sweep.token for sweep in scene.sweeps] == [sweep.token for sweep in whole.sweeps]
    assert [camera.token for camera in scene.cameras] == [camera.token for camera in whole.cameras]
    assert len(scene.set_aside) == 1
    assert f"as in row {row['token']}" in str(scene.set_aside[0])


def test_of_a_keyframe_and_its_copy_the_keyframe_stays(damaged, whole):
    rows = rows_of(damaged, "sample_data")
    row = next(row for row in rows if row["filename"].startswith("samples/LIDAR_TOP"))
    write_rows(damaged, "sample_data", [{**row, "token": "e" * 32, "is_key_frame": False}, *rows])
    assert [sweep.token for sweep in scene_of(damaged).sweeps] == [sweep.token for sweep in whole.sweeps]


def test_keyframes_without_sweep_are_left_out(damaged):
    first_file(damaged, "samples/LIDAR_TOP/*").unlink()
    assert len(NuScenes(damaged).keyframes("scene-0001")) == 3
    with pytest.raises(InputError, match="not there"):
        NuScenes(damaged, options=STRICT).keyframes("scene-0001")


@pytest.mark.parametrize("at", [0, 1, -1])
def test_sweeps_that_cannot_be_read_when_their_turn_comes(damaged, whole, at):
    """The first is read to tell how the lidar turns; the others may not be."""
    noise = np.random.default_rng(0).bytes(20_000)
    path = damaged / whole.sweeps[at].path.relative_to(whole.sweeps[at].path.parents[2])
    replace(path, noise)
    examined = examine(scene_of(damaged), AccumulateConfig().lidar, sane=False)
    for sweep in examined.scene.sweeps:
        examined.scene.read_points(sweep)
    (thing,) = examined.set_aside
    assert (thing.what, thing.where) == ("sweep", str(path))
    assert "damaged" in thing.why
    with pytest.raises(InputError, match="damaged"):
        read_strictly(scene_of(damaged))


def read_strictly(scene):
    scene = examine(scene, AccumulateConfig().lidar, sane=False, strict=True).scene
    return [scene.read_points(sweep) for sweep in scene.sweeps]


def test_the_line_counts_each_kind():
    box = SetAside("box", "t.json", "row a: no size")
    things = [box, SetAside("sweep", "a.bin", "empty"), changed(box, why="row b: no size")]
    assert in_one_line(things) == (
        "went on without 2 boxes (t.json: row a: no size and 1 more), 1 sweep (a.bin: empty); --strict refuses instead",
    )


def run(*arguments):
    done = CliRunner().invoke(group, [str(a) for a in arguments], standalone_mode=False, catch_exceptions=False)
    return done.return_value, done.output


def test_what_was_left_out_is_said_and_kept(damaged, tmp_path):
    """By accumulate on stderr, in the store and in the summary; complete does the same with images that went."""
    sweep, image = first_file(damaged, "sweeps/LIDAR_TOP/*"), first_file(damaged, "samples/CAM_FRONT/*")
    sweep.unlink()
    depth, data = tmp_path / "depth", ["--dataroot", damaged, "--camera", "CAM_FRONT"]
    with pytest.raises(InputError, match="not there"):
        NuScenes(damaged, options=STRICT).scene("scene-0001")
    code, said = run("accumulate", *data, "--out", depth, "--motion", "none", "--no-surface")
    assert code == 0, said
    assert f"went on without 1 sweep ({sweep}: named in sample_data.json but not there); --strict" in said
    with h5py.File(depth / "scene-0001.h5") as file:
        (kept,) = json.loads(file.attrs["set_aside"])
    assert kept["where"] == str(sweep)
    summary = [json.loads(line) for line in (depth / "run-summary.jsonl").read_text().splitlines()]
    assert summary[0]["set_aside"] == [kept]
    image.unlink()
    code, said = run("complete", *data, "--depth", depth, "--out", tmp_path / "completed")
    assert code == 0, said
    assert f"went on without 1 image ({image}: " in said
    code, said = run("complete", *data, "--depth", depth, "--out", tmp_path / "strictly", "--strict")
    assert code == 2, said


@pytest.mark.parametrize("damage", ["gone", "empty", "cut off", "image gone"])
def test_what_comes_back_makes_a_store_stale(damaged, tmp_path, damage):
    path = first_file(damaged, "samples/CAM_FRONT/*" if damage == "image gone" else "sweeps/LIDAR_TOP/*")
    whole = path.read_bytes()
    path.unlink()
    if "gone" not in damage:
        path.write_bytes(whole[:1999] if damage == "cut off" else b"")
    words = ["accumulate", "--dataroot", damaged, "--out", tmp_path / "depth", "--camera", "CAM_FRONT"]
    words += ["--motion", "none", "--no-surface"]
    assert run(*words)[0] == 0
    if damage == "gone":
        code, said = run(*words)
        assert (code, "finished before" in said) == (0, True), said
    path.unlink(missing_ok=True)
    path.write_bytes(whole)
    with pytest.raises(InputError, match=f"made without {path}, which has come or was mended since; --overwrite"):
        run(*words)
    if damage == "gone":
        assert run(*words, "--overwrite")[0] == 0
        assert "finished before" in run(*words)[1]
