"""Names that no store could be read by, and stamps in another unit, are refused by reader and check alike."""

import json

import pytest

from densegt.datasets.nuscenes import NuScenes
from densegt.datasets.nuscenes.check import check
from densegt.errors import InputError

from ..copies import replace, rows_of, table, write_rows


def refused_alike(root, where, *says):
    with pytest.raises(InputError) as error:
        NuScenes(root).scene("scene-0001")
    found = [finding for finding in check(root).findings if finding.where == f"v1.0-mini/{where}"]
    for words in says:
        assert words in str(error.value)
        assert any(words in finding.what for finding in found), check(root).findings
    assert where in str(error.value)


@pytest.mark.parametrize("channel", ["../X", "", ".", "a/b", "a\0b", "x" * 300])
def test_a_channel_that_cannot_be(damaged, channel):
    rows = rows_of(damaged, "sensor")
    (bad,) = [row for row in rows if row["channel"] == "CAM_FRONT"]
    bad["channel"] = channel
    write_rows(damaged, "sensor", rows)
    refused_alike(damaged, "sensor.json", repr(bad["token"]), repr(channel))


@pytest.mark.parametrize("token", ["../../a/b", "", "..", "a/b", ".hidden"])
def test_a_sample_token_that_cannot_be(damaged, token):
    old = rows_of(damaged, "scene")[0]["first_sample_token"]
    for name in ("scene", "sample", "sample_data", "sample_annotation"):
        text = table(damaged, name).read_text()
        replace(table(damaged, name), text.replace(json.dumps(old), json.dumps(token)).encode())
    refused_alike(damaged, "sample.json", repr(token))


def scaled(root, factor, *names):
    for name in names:
        rows = rows_of(root, name)
        write_rows(root, name, [{**row, "timestamp": int(row["timestamp"] * factor)} for row in rows])


@pytest.mark.parametrize("tables", [("sample", "sample_data", "ego_pose"), ("sample", "sample_data"), ("sample_data",)])
@pytest.mark.parametrize(("factor", "unit"), [(1000, "nanoseconds"), (0.001, "milliseconds")])
def test_stamps_in_another_unit(damaged, factor, unit, tables):
    scaled(damaged, factor, *tables)
    refused_alike(damaged, "sample_data.json", f"stamps seem to be in {unit}, microseconds are wanted")
    assert len(check(damaged).findings) < 40


@pytest.mark.parametrize(("factor", "unit"), [(1000, "nanoseconds"), (0.001, "milliseconds"), (1e-6, "seconds")])
def test_samples_in_another_unit_than_their_data(damaged, factor, unit):
    scaled(damaged, factor, "sample")
    refused_alike(damaged, "sample.json", f"stamps seem to be in {unit}, microseconds are wanted")


@pytest.mark.parametrize(("factor", "unit"), [(1000, "nanoseconds"), (0.001, "milliseconds")])
def test_of_keyframes_alone(damaged, factor, unit):
    rows = rows_of(damaged, "sample_data")
    write_rows(damaged, "sample_data", [{**row, "prev": "", "next": ""} for row in rows if row["is_key_frame"]])
    NuScenes(damaged).scene("scene-0001")
    scaled(damaged, factor, "sample", "sample_data")
    refused_alike(damaged, "sample_data.json", f"stamps seem to be in {unit}")


def test_real_recordings_are_in_microseconds(recording):
    assert [NuScenes(recording).scene(name) for name in NuScenes(recording).scene_names]
