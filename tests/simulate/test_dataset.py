"""A small dataset: tables, chains, timing, and points that lie where the exact depth says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from densegt.depth.kind import Kind
from densegt.depth.store import ImageRecord, SceneReader
from densegt.geometry.boxes import contains
from densegt.geometry.camera import project
from densegt.geometry.se3 import apply, from_quaternion, inverse

nuscenes = pytest.importorskip("nuscenes")


@pytest.fixture(scope="module")
def nusc(tiny_dataset: Path) -> object:
    return nuscenes.NuScenes("v1.0-mini", str(tiny_dataset), verbose=False)


@pytest.fixture(scope="module")
def records(tiny_dataset: Path) -> list[ImageRecord]:
    return list(SceneReader(tiny_dataset / "exact" / "scene-0001.h5"))


@pytest.fixture(scope="module")
def objects(tiny_dataset: Path) -> list[dict]:
    return SceneReader(tiny_dataset / "exact" / "scene-0001.h5").config["objects"]


def _pose(row: dict) -> NDArray[np.float64]:
    return from_quaternion(row["rotation"], row["translation"])


def _sweep(nusc, sample: dict) -> tuple[NDArray[np.float64], dict]:
    """Returns of a keyframe in global, without the car's own body."""
    data = nusc.get("sample_data", sample["data"]["LIDAR_TOP"])
    points = np.fromfile(Path(nusc.dataroot) / data["filename"], dtype=np.float32).reshape(-1, 5)
    points = points[np.linalg.norm(points[:, :3], axis=1) > 3.2]
    T = _pose(nusc.get("ego_pose", data["ego_pose_token"])) @ _pose(
        nusc.get("calibrated_sensor", data["calibrated_sensor_token"])
    )
    return apply(T, points[:, :3]), data


def test_the_tables_chain(nusc) -> None:
    assert len(nusc.scene) == 1
    assert [s["prev"] == "" for s in nusc.sample] == [True, False, False, False]
    by_channel: dict[str, int] = {}
    for row in nusc.sample_data:
        by_channel[row["channel"]] = by_channel.get(row["channel"], 0) + 1
        assert (Path(nusc.dataroot) / row["filename"]).is_file()
        if row["next"]:
            after = nusc.get("sample_data", row["next"])
            assert after["prev"] == row["token"]
            assert after["channel"] == row["channel"]
            assert after["timestamp"] > row["timestamp"]
    assert by_channel.pop("LIDAR_TOP") == 31
    assert set(by_channel.values()) == {4}
    for row in nusc.instance:
        token, count = row["first_annotation_token"], 0
        while token:
            annotation = nusc.get("sample_annotation", token)
            assert annotation["instance_token"] == row["token"]
            assert annotation["num_lidar_pts"] > 0
            token, count = annotation["next"], count + 1
        assert count == row["nbr_annotations"]


def test_sweeps_are_whole_and_belong_to_the_nearest_keyframe(nusc) -> None:
    for row in nusc.sample_data:
        if row["channel"] == "LIDAR_TOP":
            points = np.fromfile(Path(nusc.dataroot) / row["filename"], dtype="<f4").reshape(-1, 5)
            assert 33_000 < len(points) < 36_000
            assert np.isfinite(points).all()
            assert set(np.unique(points[:, 4])) == set(range(32))
            assert points[:, 3].min() >= 0
            assert points[:, 3].max() <= 255
            own = nusc.get("sample", row["sample_token"])["timestamp"]
            assert abs(own - row["timestamp"]) == min(abs(s["timestamp"] - row["timestamp"]) for s in nusc.sample)


def test_cameras_fire_when_the_beam_passes_their_axis(nusc) -> None:
    for row in nusc.sample_data:
        if row["channel"] != "LIDAR_TOP":
            axis = _pose(nusc.get("calibrated_sensor", row["calibrated_sensor_token"]))[:3, 2]
            turned = (110.0 - np.degrees(np.arctan2(axis[1], axis[0]))) % 360.0
            stamp = nusc.get("sample", row["sample_token"])["timestamp"]
            assert stamp - row["timestamp"] == pytest.approx(50_000 * (1 - turned / 360), abs=1)
            nominal = {"FRONT_LEFT": 43, "FRONT": 35, "FRONT_RIGHT": 27, "BACK_RIGHT": 20, "BACK": 10, "BACK_LEFT": 0.5}
            assert stamp - row["timestamp"] == pytest.approx(1000 * nominal[row["channel"][4:]], abs=900)


def test_static_points_lie_on_exact_surfaces(nusc, records: list[ImageRecord]) -> None:
    """Where the camera's 3x3 neighbourhood is one smooth static surface, the sweep's points agree with it."""
    errors = []
    for record in records:
        xyz, _ = _sweep(nusc, nusc.get("sample", record.sample_token))
        uv, z = project(record.K, apply(inverse(record.T_global_cam), xyz))
        height, width = record.depth_m.shape
        col, row = np.floor(np.nan_to_num(uv, nan=-9) + 0.5).astype(int).T
        ok = (col > 0) & (col < width - 1) & (row > 0) & (row < height - 1) & (z > 3)
        col, row, z = col[ok], row[ok], z[ok]
        near = np.stack([record.depth_m[row + a, col + b] for a in (-1, 0, 1) for b in (-1, 0, 1)])
        kinds = np.stack([record.layers["kind"][row + a, col + b] for a in (-1, 0, 1) for b in (-1, 0, 1)])
        plain = (kinds == Kind.STRUCTURE).all(axis=0) & (near.max(axis=0) - near.min(axis=0) < 0.03 * near.min(axis=0))
        error = (z - np.clip(z, near.min(axis=0), near.max(axis=0)))[plain]
        errors.append(error[error < 1.0])  # the lidar looks past edges and through glass: farther is no error
    error = np.concatenate(errors)
    assert len(error) > 1000
    assert np.mean(np.abs(error) < 0.08) > 0.97
    assert abs(np.median(error)) < 0.003


def test_points_on_objects_lie_in_their_boxes(nusc) -> None:
    """As many as the annotation counts, up to noise at the faces, for objects that stand."""
    checked = 0
    for sample in nusc.sample:
        xyz, _ = _sweep(nusc, sample)
        for token in sample["anns"]:
            row = nusc.get("sample_annotation", token)
            if "parked" in str([nusc.get("attribute", t)["name"] for t in row["attribute_tokens"]]):
                size = np.array(row["size"])[[1, 0, 2]] + 0.1
                inside = contains(apply(inverse(_pose(row)), xyz), size).sum()
                assert inside >= 0.9 * row["num_lidar_pts"] - 3
                checked += 1
    assert checked > 10


def test_exact_object_pixels_lie_in_their_boxes(nusc, records: list[ImageRecord], objects: list[dict]) -> None:
    """Standing objects: every pixel. Movers: all, but for their way between exposure and stamp."""
    from densegt.geometry.camera import unproject

    for record in records:
        anns = {
            nusc.get("sample_annotation", t)["instance_token"]: nusc.get("sample_annotation", t)
            for t in nusc.get("sample", record.sample_token)["anns"]
        }
        xyz = unproject(record.K, record.depth_m)
        for entry in objects:
            mine = record.layers["object_id"] == entry["id"]
            if mine.any() and entry["token"] in anns:
                row = anns[entry["token"]]
                slack = 0.75 if entry["moving"] else 0.03  # 50 ms at 15 m/s; steps of 4 mm
                xyz_box = apply(inverse(_pose(row)) @ record.T_global_cam, xyz[mine])
                assert contains(xyz_box, np.array(row["size"])[[1, 0, 2]] + 2 * slack).all()


def test_unlabelled_movers_are_seen_but_not_annotated(nusc, records: list[ImageRecord], objects: list[dict]) -> None:
    hidden = [o for o in objects if not o["labelled"]]
    assert len(hidden) == 2
    assert all(o["token"] is None and o["moving"] for o in hidden)
    tokens = {row["token"] for row in nusc.instance}
    assert tokens <= {o["token"] for o in objects if o["labelled"]}
    ids = [o["id"] for o in hidden]
    for record in records:
        unlabelled = record.layers["kind"] == Kind.UNLABELLED_MOVER
        np.testing.assert_array_equal(unlabelled, np.isin(record.layers["object_id"], ids))


def test_kinds_follow_the_objects(records: list[ImageRecord], objects: list[dict]) -> None:
    kind_of = np.array([0] + [_kind(o) for o in objects])
    seen = set()
    for record in records:
        ids, kind = record.layers["object_id"], record.layers["kind"]
        np.testing.assert_array_equal(kind[ids > 0], kind_of[ids[ids > 0]])
        assert (kind[ids == 0] <= Kind.STRUCTURE).all()
        np.testing.assert_array_equal(kind == Kind.NONE, record.depth_m == 0)
        np.testing.assert_array_equal(record.source, record.depth_m > 0)
        seen |= set(np.unique(kind).tolist())
    assert {Kind.NONE, Kind.GROUND, Kind.STRUCTURE, Kind.STANDING, Kind.LABELLED_MOVER} <= seen


def _kind(entry: dict) -> int:
    if not entry["moving"]:
        return Kind.STANDING
    return Kind.LABELLED_MOVER if entry["labelled"] else Kind.UNLABELLED_MOVER


def test_splits_name_every_scene(tiny_dataset: Path) -> None:
    splits = json.loads((tiny_dataset / "splits.json").read_text())
    assert splits == {"train": ["scene-0001"], "val": []}
