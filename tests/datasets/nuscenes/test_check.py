"""Every planted defect is found and named; a whole dataset has none."""

import json

import pytest
from densegt.cli.main import group

from densegt.datasets.nuscenes.check import check
from densegt.datasets.nuscenes.findings import MAY_BE_ABSENT, ROW_TYPES
from densegt.errors import InputError

from ..copies import change, first_file, replace, rows_of, table, write_rows

# Whole scenes are simulated, read or rendered.
pytestmark = pytest.mark.slow

NAN = float("nan")


def found(root, **options):
    """Findings as (kind, file's last name, words)."""
    return [(f.kind, f.where.rsplit("/", 1)[-1], f.what) for f in check(root, **options).findings]


def finds(root, kind, where, *says, **options):
    """Asserts that all findings are of one kind and about one file, and that one says these words."""
    findings = found(root, **options)
    assert {f[0] for f in findings} == {kind}, findings
    assert {f[1] for f in findings} == {where}, findings
    for words in says:
        assert any(words in f[2] for f in findings), findings
    return findings


def chained(root, name):
    """Rows of a table in the order of its longest chain."""
    rows = {row["token"]: row for row in rows_of(root, name)}
    chains = []
    for row in rows.values():
        if not row["prev"]:
            chain = [row]
            while chain[-1]["next"]:
                chain.append(rows[chain[-1]["next"]])
            chains.append(chain)
    return max(chains, key=len)


def change_row(root, name, token, /, **fields):
    (number,) = [i for i, row in enumerate(rows_of(root, name)) if row["token"] == token]
    change(root, name, number, **fields)


def test_a_whole_dataset_has_no_problem(tiny_dataset):
    report = check(tiny_dataset, decode_images=True)
    assert report.findings == ()
    assert report.summary() == "0 problems in 1 scene, 31 sweeps, 24 images"


def test_real_recordings_have_no_problem(recording):
    assert check(recording, decode_images=True).findings == ()


def test_not_a_dataset(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        check(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"no v1\.0-\*"):
        check(tmp_path)


@pytest.mark.parametrize("name", [name for name in ROW_TYPES if name not in MAY_BE_ABSENT])
def test_a_missing_table_is_one_finding(damaged, name):
    table(damaged, name).unlink()
    (finding,) = finds(damaged, "missing", f"{name}.json")
    assert "No such file" in finding[2]


@pytest.mark.parametrize("name", ROW_TYPES)
def test_a_table_cut_in_the_middle_is_one_finding(damaged, name):
    data = table(damaged, name).read_bytes()
    replace(table(damaged, name), data[: len(data) // 2])
    (finding,) = finds(damaged, "unreadable", f"{name}.json")
    assert "not whole JSON" in finding[2]


def test_the_other_tables_are_looked_at_too(damaged):
    replace(table(damaged, "sample_annotation"), b"[")
    first_file(damaged, "samples/CAM_FRONT/*").unlink()
    assert [f[0] for f in found(damaged)] == ["missing", "unreadable"]


def test_a_field_of_another_type(damaged):
    change(damaged, "sensor", 2, channel=7)
    finds(damaged, "unreadable", "sensor.json", "`$[2].channel`")


@pytest.mark.parametrize("pattern", ["samples/LIDAR_TOP/*", "sweeps/LIDAR_TOP/*", "samples/CAM_BACK/*", "maps/*"])
def test_missing_files(damaged, pattern):
    path = first_file(damaged, pattern)
    path.unlink()
    finds(damaged, "missing", path.name, "no such file")


@pytest.mark.parametrize("pattern", ["sweeps/LIDAR_TOP/*", "samples/CAM_BACK/*", "maps/*"])
def test_empty_files(damaged, pattern):
    path = first_file(damaged, pattern)
    replace(path, b"")
    finds(damaged, "truncated", path.name, "empty")


def test_truncated_sweep(damaged):
    path = first_file(damaged, "sweeps/LIDAR_TOP/*")
    replace(path, path.read_bytes()[:-7])
    finds(damaged, "truncated", path.name, "13 bytes left over")


@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_truncated_image(damaged, share):
    path = first_file(damaged, "samples/CAM_FRONT/*")
    data = path.read_bytes()
    replace(path, data[: int(len(data) * share)])
    finds(damaged, "truncated", path.name, "the JPEG's end is missing")


@pytest.mark.parametrize("data", [b"\xff", b"\xff\xd8", b"\xff\xd8\xff\xe0", b"GIF89a", bytes(5000), b"\xff" * 5000])
def test_not_an_image(damaged, data):
    path = first_file(damaged, "samples/CAM_FRONT/*")
    replace(path, data)
    finds(damaged, "unreadable", path.name, "does not begin like a JPEG or a PNG")


def test_an_image_damaged_in_its_middle(damaged):
    path = first_file(damaged, "samples/CAM_FRONT/*")
    data = path.read_bytes()
    half = len(data) // 2
    for middle in (b"", data[half : half + 10] + bytes(50) + data[half + 60 :]):
        replace(path, data[:half] + middle + data[-2:])
        assert found(damaged) == []
        finds(damaged, "unreadable", path.name, "does not decode: Corrupt JPEG data", decode_images=True)


def test_image_of_another_size(damaged):
    cameras = sorted(damaged.glob("samples/CAM_BACK/*"))
    (number,) = [
        i for i, row in enumerate(rows_of(damaged, "sample_data")) if row["filename"].endswith(cameras[0].name)
    ]
    change(damaged, "sample_data", number, width=1600, height=900)
    finds(damaged, "size", cameras[0].name, "160x90 px, but sample_data.json says 1600x900")


@pytest.mark.parametrize(
    "filename", ["../outside.bin", "/etc/passwd", "samples/../../x", "a\0b", "line\nbreak", "x" * 999]
)
def test_names_that_lead_out(damaged, filename):
    change(damaged, "sample_data", 3, filename=filename)
    (finding,) = finds(damaged, "outside", "sample_data.json")
    assert "\n" not in finding[2]


def test_a_file_named_twice(damaged):
    change(damaged, "sample_data", 1, filename=rows_of(damaged, "sample_data")[0]["filename"])
    finds(damaged, "duplicate", "sample_data.json", "is named before")


@pytest.mark.parametrize(
    ("name", "field", "target"),
    [
        ("calibrated_sensor", "sensor_token", "sensor"),
        ("instance", "category_token", "category"),
        ("instance", "first_annotation_token", "sample_annotation"),
        ("instance", "last_annotation_token", "sample_annotation"),
        ("sample", "next", "sample"),
        ("sample", "prev", "sample"),
        ("sample", "scene_token", "scene"),
        ("sample_annotation", "instance_token", "instance"),
        ("sample_annotation", "next", "sample_annotation"),
        ("sample_annotation", "prev", "sample_annotation"),
        ("sample_annotation", "sample_token", "sample"),
        ("sample_annotation", "visibility_token", "visibility"),
        ("sample_data", "calibrated_sensor_token", "calibrated_sensor"),
        ("sample_data", "ego_pose_token", "ego_pose"),
        ("sample_data", "next", "sample_data"),
        ("sample_data", "prev", "sample_data"),
        ("sample_data", "sample_token", "sample"),
        ("scene", "first_sample_token", "sample"),
        ("scene", "last_sample_token", "sample"),
        ("scene", "log_token", "log"),
    ],
)
def test_dangling_tokens(damaged, name, field, target):
    token = change(damaged, name, 0, **{field: "nobody"})["token"]
    says = f"row {token}: {field} 'nobody' is in no row of {target}"
    assert [f for f in found(damaged) if f[0] == "dangling"] == [("dangling", f"{name}.json", says)]


@pytest.mark.parametrize(("name", "field"), [("map", "log_tokens"), ("sample_annotation", "attribute_tokens")])
def test_dangling_tokens_in_lists(damaged, name, field):
    change(damaged, name, 0, **{field: [*rows_of(damaged, name)[0][field], "nobody"]})
    finds(damaged, "dangling", f"{name}.json", f"{field} 'nobody'")


@pytest.mark.parametrize("name", ROW_TYPES)
def test_duplicate_tokens(damaged, name):
    rows = rows_of(damaged, name)
    write_rows(damaged, name, [*rows, rows[0]])
    assert ("duplicate", f"{name}.json", f"token {rows[0]['token']!r} is in 2 rows") in found(damaged)


@pytest.mark.parametrize("name", ["sample", "sample_annotation", "sample_data"])
def test_a_chain_that_bites_its_tail(damaged, name):
    chain = chained(damaged, name)
    change_row(damaged, name, chain[-1]["token"], next=chain[0]["token"])
    change_row(damaged, name, chain[0]["token"], prev=chain[-1]["token"])
    cycles = [f for f in found(damaged) if f[0] == "chain"]
    assert [f[1] for f in cycles] == [f"{name}.json"] * 2
    assert f"following next comes back to it after {len(chain)} rows" in cycles[0][2]


def test_a_row_that_follows_itself(damaged):
    row = chained(damaged, "sample_data")[-1]
    change_row(damaged, "sample_data", row["token"], next=row["token"])
    finds(damaged, "chain", "sample_data.json", f"row {row['token']}: following next comes back to it after 1 row")


@pytest.mark.parametrize("name", ["sample", "sample_annotation", "sample_data"])
def test_neighbours_that_do_not_agree(damaged, name):
    chain = chained(damaged, name)
    change_row(damaged, name, chain[1]["token"], prev="")
    finds(damaged, "chain", f"{name}.json", f"row {chain[0]['token']}: next is {chain[1]['token']}, whose prev is ''")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"rotation": [NAN, 0, 0, 1]}, "finite"),
        ({"rotation": [0, 0, 0, 0]}, "has length 0, not 1"),
        ({"rotation": [1.01, 0, 0, 0]}, "has length 1.01, not 1"),
        ({"rotation": [1, 0, 0]}, "finite"),
        ({"translation": [0, float("inf"), 0]}, "finite"),
        ({"translation": [0, 0]}, "finite"),
    ],
)
@pytest.mark.parametrize("name", ["ego_pose", "calibrated_sensor", "sample_annotation"])
def test_impossible_poses(damaged, name, fields, says):
    token = change(damaged, name, 0, **fields)["token"]
    finds(damaged, "pose", f"{name}.json", f"row {token}: ", says)


def test_a_rotation_may_be_rounded(damaged):
    change(damaged, "calibrated_sensor", 0, rotation=[0.7073, 0, 0, 0.7069])
    assert found(damaged) == []


def test_a_jump_of_the_car(damaged):
    lidar = [r for r in rows_of(damaged, "sample_data") if "LIDAR" in r["filename"]]
    row = sorted(lidar, key=lambda r: r["timestamp"])[5]
    (pose,) = [r for r in rows_of(damaged, "ego_pose") if r["token"] == row["ego_pose_token"]]
    x, y, z = pose["translation"]
    change_row(damaged, "ego_pose", pose["token"], translation=[x + 8, y, z])
    findings = finds(damaged, "pose", "ego_pose.json", f"row {pose['token']}: ", "LIDAR_TOP was 0.050 s before")
    assert len(findings) == 2  # there and back


@pytest.mark.parametrize("size", [[1, 0, 1], [1, 1, -2], [NAN, 1, 1], [1, 1]], ids=str)
def test_impossible_boxes(damaged, size):
    token = change(damaged, "sample_annotation", 4, size=size)["token"]
    finds(damaged, "box", "sample_annotation.json", f"row {token}: size")


@pytest.mark.parametrize("K", [[], [[1, 2], [3, 4]], [[0, 0, 1], [0, 5, 1], [0, 0, 1]], [[NAN] * 3] * 3], ids=str)
def test_impossible_cameras(damaged, K):
    (number, *_) = [i for i, row in enumerate(rows_of(damaged, "calibrated_sensor")) if row["camera_intrinsic"]]
    change(damaged, "calibrated_sensor", number, camera_intrinsic=K)
    finds(damaged, "camera", "calibrated_sensor.json", "camera_intrinsic")


@pytest.mark.parametrize("shift_us", [0, -1000])
def test_time_that_does_not_go_on(damaged, shift_us):
    before, row = chained(damaged, "sample_data")[3:5]
    change_row(damaged, "sample_data", row["token"], timestamp=before["timestamp"] + shift_us)
    (what,) = [f[2] for f in found(damaged) if f[:2] == ("time", "sample_data.json")]
    assert what.startswith(f"row {row['token']}: at ")
    assert f"not after {before['token']}" in what


def test_two_rows_at_one_time_without_a_chain(damaged):
    rows = rows_of(damaged, "sample_data")
    lidar = sorted((r for r in rows if "LIDAR" in r["filename"]), key=lambda r: r["timestamp"])
    lidar[1]["timestamp"] = lidar[0]["timestamp"]
    write_rows(damaged, "sample_data", [{**row, "prev": "", "next": ""} for row in rows])
    finds(damaged, "time", "sample_data.json", "of the same LIDAR_TOP")


def test_samples_out_of_order(damaged):
    before, row = chained(damaged, "sample")[:2]
    change_row(damaged, "sample", row["token"], timestamp=before["timestamp"] - 1)
    assert ("time", "sample.json") in {f[:2] for f in found(damaged)}
    assert ("time", "sample_annotation.json") in {f[:2] for f in found(damaged)}


def test_a_keyframe_far_from_its_sample(damaged):
    row = chained(damaged, "sample_data")[-1]
    assert row["is_key_frame"]
    change_row(damaged, "sample_data", row["token"], timestamp=row["timestamp"] + 2_000_000)
    finds(damaged, "time", "sample_data.json", "s off its sample")


@pytest.mark.parametrize("name", ["", "a/b", "..", ".hidden"])
def test_scene_names_that_name_no_file(damaged, name):
    change(damaged, "scene", 0, **{"name": name})
    finds(damaged, "scene", "scene.json", f"the name {name!r}")


def test_a_scene_without_lidar(damaged):
    rows = rows_of(damaged, "sample_data")
    write_rows(damaged, "sample_data", [row for row in rows if "LIDAR" not in row["filename"]])
    finds(damaged, "scene", "scene.json", "has no lidar sweep")


def test_findings_are_sorted_and_counted(damaged):
    for pattern in ("sweeps/LIDAR_TOP/*", "samples/CAM_BACK/*"):
        first_file(damaged, pattern).unlink()
    replace(first_file(damaged, "samples/CAM_FRONT/*"), b"")
    report = check(damaged)
    assert [f.kind for f in report.findings] == ["missing", "missing", "truncated"]
    assert list(report.findings) == sorted(report.findings)
    assert report.summary() == "3 problems (2 missing, 1 truncated) in 1 scene, 31 sweeps, 24 images"


def test_the_command(damaged, tmp_path):
    from click.testing import CliRunner

    done = CliRunner().invoke(group, ["check", "--dataroot", str(damaged)], standalone_mode=False)
    assert done.output.splitlines() == ["0 problems in 1 scene, 31 sweeps, 24 images"]
    assert done.return_value == 0
    path = first_file(damaged, "samples/CAM_FRONT/*")
    path.unlink()
    done = CliRunner().invoke(group, ["check", "--dataroot", str(damaged), "--images"], standalone_mode=False)
    assert done.output.splitlines()[0] == f"missing: samples/CAM_FRONT/{path.name}: no such file"
    assert done.return_value == 1


def test_nothing_but_brackets(damaged):
    for name in ROW_TYPES:
        write_rows(damaged, name, [])
    assert check(damaged).summary() == "1 problem (1 refused) in 0 scenes, 0 sweeps, 0 images"


def test_nan_in_every_number(damaged):
    for name in ("ego_pose", "calibrated_sensor", "sample_annotation"):
        text = json.dumps(rows_of(damaged, name))
        rows = json.loads(text, parse_float=lambda _: NAN)
        write_rows(damaged, name, rows)
    assert {f[0] for f in found(damaged)} == {"box", "camera", "pose"}
