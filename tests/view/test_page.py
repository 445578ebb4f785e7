"""The page as a file: whole, on its own, and honest about what it leaves out."""

import json
import re

import numpy as np
import pytest
from click import UsageError
from click.testing import CliRunner
from densegt.cli.main import group

from densegt.datasets import RecordingPath, open_recording
from densegt.depth.point_votes import read_votes
from densegt.depth.steps import encode_depth
from densegt.depth.store import SceneReader
from densegt.errors import InputError
from densegt.occupancy.store import OccupancyReader
from densegt.occupancy.voxels import State
from densegt.view.codec import decode_steps, from_text
from densegt.view.page import Choice, write_view
from densegt.view.votes import nearest_sweeps
from densegt.view.voxels import MOVES


def parts_of(text):
    return dict(re.findall(r'<script type="text/plain" id="([^"]+)">([^<]*)</script>', text))


def test_what_the_first_picture_needs_stands_before_the_scripts_and_all_else_behind(viewed):
    text = viewed.out.read_text()
    scripts, images = text.index("<script>"), content_of(text)["scenes"][0]["keyframes"]
    for k, keyframe in enumerate(images):
        for camera in keyframe["cameras"]:
            assert (text.index(f'id="{camera["part"]}-depth"') < scripts) == (k == 0)
    assert scripts < text.index('id="c0-static"') < text.index(f'id="{images[1]["cameras"][0]["part"]}-depth"')


def content_of(text):
    return json.loads(re.search(r'id="content">(.*?)</script>', text, re.DOTALL)[1])


def write(viewed, out, **choice):
    return write_view(viewed.depth, RecordingPath(viewed.data), out, Choice(**{"max_points": 0, **choice}))


def test_the_page_loads_nothing(viewed):
    text = viewed.out.read_text()
    assert not re.search(r"<(link|iframe|img|script)[^>]+(src|href)=|@import|url\(", text)
    assert viewed.said.startswith(f"{viewed.out}: ")
    assert "images of scene-0001" in viewed.said


def test_every_image_is_there_without_loss(viewed):
    text = viewed.out.read_text()
    parts, (scene,) = parts_of(text), content_of(text)["scenes"]
    reader = SceneReader(viewed.depth / "scene-0001.h5")
    seen = []
    for keyframe in scene["keyframes"]:
        for image in keyframe["cameras"]:
            record = reader.read(keyframe["token"], image["channel"])
            steps = decode_steps(parts[f"{image['part']}-depth"], record.depth_m.shape)
            np.testing.assert_array_equal(steps, encode_depth(record.depth_m))
            np.testing.assert_allclose(image["K"], record.K)
            seen.append((keyframe["token"], image["channel"]))
    assert sorted(seen) == sorted(reader.keys)
    assert [k["time_s"] for k in scene["keyframes"]] == pytest.approx([0, 0.5, 1.0, 1.5], abs=0.02)


def test_the_cloud_is_the_scenes(viewed):
    (scene,) = content_of(viewed.out.read_text())["scenes"]
    cloud = scene["cloud"]
    assert cloud["static"]["count"] > 1000
    assert cloud["movers"]
    assert all(len(m["poses"]) == len(scene["keyframes"]) for m in cloud["movers"])
    assert all(m["box"]["count"] == m["seen"]["count"] for m in cloud["movers"])
    assert len(cloud["transient"]["ranges"]) == len(scene["keyframes"])


def test_the_votes_are_the_stores(viewed):
    text = viewed.out.read_text()
    parts, (scene,) = parts_of(text), content_of(text)["scenes"]
    shown = scene["cloud"]["votes"]
    assert len(shown) == len(scene["keyframes"])
    recording = open_recording(viewed.data).scene("scene-0001")
    for keyframe, about in zip(scene["keyframes"], shown, strict=True):
        said = np.frombuffer(from_text(parts[about["moving"]]), np.uint8)
        assert len(said) == about["count"]
        (sweep,) = nearest_sweeps(recording, keyframe["timestamp_us"])
        count = len(recording.read_points(sweep).ring)
        votes = read_votes(viewed.votes / "scene-0001.h5", sweep.lidar.channel, sweep.timestamp_us, count).moving
        # All that may move, and some of the rest.
        assert (said > 127).sum() == (votes > 0.5).sum() > 100
        assert 100 < (said < 127).sum() <= (votes < 0.5).sum()


def test_votes_that_are_not_there_are_named(viewed, tmp_path):
    line = ["view", "--dataroot", str(viewed.data), "--depth", str(viewed.depth), "--out", str(tmp_path / "v.html")]
    with pytest.raises(InputError, match=r"scene-0001\.h5: no such file; densegt predict-motion"):
        CliRunner().invoke(
            group, [*line, "--motion-votes", str(tmp_path)], standalone_mode=False, catch_exceptions=False
        )
    more = ["--motion-votes", str(viewed.votes), "--no-cloud"]
    with pytest.raises(UsageError, match="--no-cloud"):
        CliRunner().invoke(group, [*line, *more], standalone_mode=False, catch_exceptions=False)


def test_the_voxels_are_the_stores(viewed):
    text = viewed.out.read_text()
    parts, (scene,) = parts_of(text), content_of(text)["scenes"]
    reader, keyframes = OccupancyReader(viewed.voxels / "scene-0001.h5"), scene["cloud"]["voxels"]
    assert len(keyframes) == len(scene["keyframes"])
    for about, keyframe in zip(keyframes, scene["keyframes"], strict=True):
        record = reader.read(keyframe["token"])
        high, low = np.split(np.frombuffer(from_text(parts[f"{about['part']}-at"]), np.uint8).astype(int), 2)
        at = tuple((256 * high + low).reshape(3, -1))
        occupied = np.zeros(record.state.shape, bool)
        occupied[at] = True
        np.testing.assert_array_equal(occupied, record.state == State.OCCUPIED)
        code, confidence = (from_text(parts[f"{about['part']}-{name}"]) for name in ("code", "confidence"))
        np.testing.assert_array_equal(np.frombuffer(confidence, np.uint8), record.layers["confidence"][at])
        codes = np.frombuffer(code, np.uint8)
        known = record.layers["semantics"][at] > 0
        np.testing.assert_array_equal(codes[known], record.layers["semantics"][at][known])
        np.testing.assert_array_equal(codes[~known] == MOVES, record.layers["mover"][at][~known] >= 0)
        T = np.array(about["pose"]).reshape(4, 4).T
        T[:3, 3] += scene["cloud"]["origin"]
        np.testing.assert_allclose(T, record.T_global_grid, atol=1e-4)


def test_voxels_that_do_not_fit_are_named(viewed, tmp_path):
    with pytest.raises(InputError, match="no such file; --occupancy"):
        write_view(viewed.depth, RecordingPath(viewed.data), tmp_path / "v.html", Choice(), occupancy_dir=tmp_path)
    arguments = ["view", "--depth", "d", "--dataroot", "w", "--out", "v.html", "--no-cloud", "--occupancy", "o"]
    done = CliRunner().invoke(group, arguments, standalone_mode=False)
    assert "leave --no-cloud out" in str(done.exception)


def test_choices(viewed, tmp_path):
    out = tmp_path / "some.html"
    shown = write(viewed, out, cameras=("CAM_BACK",), every=2, downscale=2)
    text = out.read_text()
    (scene,) = content_of(text)["scenes"]
    assert shown.images == len(scene["keyframes"]) == 2
    assert {c["channel"] for k in scene["keyframes"] for c in k["cameras"]} == {"CAM_BACK"}
    assert {tuple(c["size"]) for k in scene["keyframes"] for c in k["cameras"]} == {(80, 45)}
    assert "Shown at 1/2 size" in text
    assert scene["cloud"] is None


def test_the_same_store_gives_the_same_page(viewed, tmp_path):
    for name in ("a.html", "b.html"):
        write(viewed, tmp_path / name)
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


@pytest.mark.parametrize(
    ("choice", "says"),
    [({"scenes": ("scene-9",)}, "no scene 'scene-9'"), ({"cameras": ("CAM_UP",)}, "no camera 'CAM_UP'")],
)
def test_what_is_not_there_is_named(viewed, tmp_path, choice, says):
    with pytest.raises(InputError, match=says):
        write(viewed, tmp_path / "none.html", **choice)
    assert not (tmp_path / "none.html").exists()


def test_a_truth_that_does_not_fit_is_named(viewed, tmp_path):
    with pytest.raises(InputError, match="no such file; --truth"):
        write_view(
            viewed.depth, RecordingPath(viewed.data), tmp_path / "v.html", Choice(max_points=0), truth_dir=tmp_path
        )


def test_ply_and_rerun(viewed, tmp_path):
    o3d = pytest.importorskip("open3d")
    pytest.importorskip("rerun")
    arguments = ["view", "--depth", viewed.depth, "--dataroot", viewed.data, "--out", tmp_path / "v.html", "--every", 2]
    arguments += ["--ply", tmp_path / "ply", "--rerun", tmp_path / "rrd", "--occupancy", viewed.voxels]
    done = CliRunner().invoke(group, [str(a) for a in arguments], standalone_mode=False)
    assert done.exception is None, done.exception
    points = o3d.io.read_point_cloud(str(tmp_path / "ply" / "scene-0001.ply"))
    (scene,) = content_of((tmp_path / "v.html").read_text())["scenes"]
    assert len(points.points) > scene["cloud"]["static"]["count"] > 0
    assert np.linalg.norm(points.get_center() - scene["cloud"]["origin"]) < 100
    assert (tmp_path / "rrd" / "scene-0001.rrd").read_bytes()[:4] == b"RRF2"


def test_ply_wants_the_cloud(viewed, tmp_path):
    arguments = ["view", "--depth", "d", "--dataroot", "w", "--out", "v.html", "--no-cloud", "--ply", "p"]
    done = CliRunner().invoke(group, arguments, standalone_mode=False)
    assert "leave --no-cloud out" in str(done.exception)
