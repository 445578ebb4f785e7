"""From a folder to tensors: frames, boxes, depth, in this process and in others."""

from __future__ import annotations

import multiprocessing
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.utils.data import DataLoader  # noqa: E402

from densegt.datasets import open_recording  # noqa: E402
from densegt.datasets.detection_classes import ATTRIBUTES, CLASSES, class_of  # noqa: E402
from densegt.depth.depth_map import Source  # noqa: E402
from densegt.detection.data import sweep_points  # noqa: E402
from densegt.detection.data.augment import Augmentation, BevRanges, ImageRanges  # noqa: E402
from densegt.detection.data.depth_dataset import DatasetOptions, DepthDataset, InputOptions, LabelOptions  # noqa: E402
from densegt.detection.data.depth_layers import project_sweeps  # noqa: E402
from densegt.detection.data.loaders import NumberedSamples  # noqa: E402
from densegt.errors import InputError  # noqa: E402
from densegt.geometry import se3  # noqa: E402

from ...depth.stores import camera, write_store  # noqa: E402

SIZE = (48, 96)
QUARTER = np.array([[0.0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
ALL = Augmentation(
    ImageRanges((0.9, 1.2), (0.0, 0.1), (-5, 5), 0.5, True), BevRanges((-22, 22), (0.95, 1.05), 0.5, 0.5)
)


def dataset(root, depth="exact", *, inputs=None, labels=None, **options):
    given = {"size": SIZE, "inputs": InputOptions(**inputs or {}), "labels": LabelOptions(**labels or {}), **options}
    return DepthDataset(root, root / depth if depth else None, DatasetOptions(**given))


def points_ref(sample):
    """What is known of depth, in ref: (N,3)."""
    found = []
    for K, T_ref_cam, depth_m in zip(sample["K"], sample["T_ref_cam"], sample["depth_m"], strict=True):
        v, u = np.nonzero(depth_m.numpy())
        z = depth_m.numpy()[v, u]
        xyz_cam = (np.linalg.inv(K.numpy()) @ np.stack([u, v, np.ones_like(u)])) * z
        found.append((T_ref_cam.numpy()[:3, :3] @ xyz_cam).T + T_ref_cam.numpy()[:3, 3])
    return np.concatenate(found)


def test_three_lines(tiny_dataset):
    batch = next(iter(DataLoader(dataset(tiny_dataset), batch_size=2)))
    assert batch["images"].shape == (2, 6, 3, *SIZE)
    assert batch["images"].is_contiguous()
    assert batch["depth_m"].shape == batch["source"].shape == batch["confidence"].shape == (2, 6, *SIZE)
    assert batch["K"].shape == (2, 6, 3, 3)
    assert batch["T_ref_cam"].shape == (2, 6, 4, 4)
    assert 0 <= batch["images"].min() < batch["images"].max() <= 1
    assert len(batch["sample_token"]) == 2


def test_boxes_are_the_devkits(tiny_dataset):
    devkit = pytest.importorskip("nuscenes.nuscenes").NuScenes("v1.0-mini", str(tiny_dataset), verbose=False)
    data = dataset(tiny_dataset, labels={"min_points": 0})
    for index, keyframe in enumerate(data.keyframes):
        lidar = devkit.get("sample", keyframe.sample_token)["data"]["LIDAR_TOP"]
        theirs = {}
        for box in devkit.get_boxes(lidar):
            if class_of(box.name) is not None:
                theirs[tuple(np.round(box.center, 5))] = box
        sample = data[index]
        count = int((sample["labels"] >= 0).sum())
        assert count == len(theirs) > 0
        T = sample["T_global_ref"].numpy()
        for box, label, attribute in zip(sample["boxes"], sample["labels"], sample["attributes"], strict=True):
            if label < 0:
                assert box.isnan().all()
                continue
            b = box.double().numpy()
            centre = T[:3, :3] @ b[:3] + T[:3, 3]
            (other,) = (o for o in theirs.values() if np.allclose(o.center, centre, atol=1e-3))
            assert CLASSES[label] == class_of(other.name)
            np.testing.assert_allclose(b[3:6], other.wlh[[1, 0, 2]], rtol=1e-5)
            ahead = T[:3, :3] @ [np.cos(b[6]), np.sin(b[6]), 0]
            # The ego may be tilted a little; yaw is about its own z.
            np.testing.assert_allclose(ahead[:2], other.rotation_matrix[:2, 0], atol=1e-3)
            velocity = devkit.box_velocity(other.token)
            np.testing.assert_allclose(T[:2, :2] @ b[7:], velocity[:2], atol=5e-3)
            row = devkit.get("sample_annotation", other.token)
            names = [devkit.get("attribute", t)["name"] for t in row["attribute_tokens"]]
            assert [ATTRIBUTES[a] for a in [int(attribute)] if a >= 0] == names


@pytest.mark.parametrize("augmentation", [None, ALL], ids=["as it is", "augmented"])
def test_depth_of_objects_lies_in_their_boxes(tiny_dataset, augmentation):
    """Exact depth, through K and T_ref_cam, must fill the boxes: all frames and augmentations agree."""
    data = dataset(tiny_dataset, augmentation=augmentation or Augmentation(), size=(96, 160))
    inside = []
    for index in range(len(data)):
        rng = np.random.default_rng(index)
        sample = data.sample(index) if augmentation is None else data.augmented_sample(index, rng)
        xyz = points_ref(sample)
        for box in sample["boxes"][sample["labels"] == CLASSES.index("car")].numpy():
            c, s = np.cos(box[6]), np.sin(box[6])
            x, y = xyz[:, 0] - box[0], xyz[:, 1] - box[1]
            local = np.stack([c * x + s * y, c * y - s * x, xyz[:, 2] - box[2]], 1)
            near = (np.abs(local) <= box[3:6] / 2 + [0.05, 0.05, 0.05]).all(1)
            around = (np.abs(local) <= box[3:6] / 2 + [0.6, 0.6, -0.3]).all(1)
            if around.sum() > 30:
                inside.append((near & around).sum() / around.sum())
    assert len(inside) > 3
    # A neighbour may stand within the margin, so not all of them.
    assert np.median(inside) > 0.95


def test_supervision(tiny_dataset):
    none, sparse, own, dense = (
        dataset(tiny_dataset, store, supervision=kind)[0]
        for store, kind in (
            (None, "none"), (None, "sparse"), ("exact", "none"), ("exact", "dense"),
        )
    )  # fmt: skip
    assert not none["depth_m"].any()
    assert not own["depth_m"].any()
    assert 0 < (sparse["depth_m"] > 0).float().mean() < 0.5 < (dense["depth_m"] > 0).float().mean()
    assert set(sparse["source"].unique().tolist()) == {Source.NONE, Source.OWN_SWEEP}
    both = (sparse["depth_m"] > 0) & (dense["depth_m"] > 0)
    error = (sparse["depth_m"] - dense["depth_m"]).abs()[both] / dense["depth_m"][both]
    assert error.median() < 0.05
    assert ((sparse["confidence"] > 0) == (sparse["depth_m"] > 0)).all()


def test_sparse_depth_is_the_sweep_whatever_store_there_is(tiny_dataset, tmp_path):
    """All returns, movers' too, each at its measured depth; what a store says of them does not matter."""
    keyframe = dataset(tiny_dataset).keyframes[0]
    images = [(c, np.ones((c.height_px, c.width_px), np.float32), None) for c in keyframe.cameras]
    write_store(tmp_path / "store", images, scene="scene-0001")
    beside, alone = (
        DepthDataset(tiny_dataset, store, DatasetOptions("sparse", SIZE))[0] for store in (tmp_path / "store", None)
    )
    assert torch.equal(beside["depth_m"], alone["depth_m"])
    camera_, (sweep,) = keyframe.cameras[0], keyframe.sweeps
    points = open_recording(tiny_dataset).read_points(sweep)
    layers = project_sweeps([(sweep, points)], camera_)
    T_cam_lidar = se3.inverse(camera_.T_global_cam) @ sweep.T_global_lidar
    x, y, z = se3.apply(T_cam_lidar, points.xyz_lidar.astype(np.float64)).T
    u, v = camera_.K[0, 0] * x / z + camera_.K[0, 2], camera_.K[1, 1] * y / z + camera_.K[1, 2]
    for row, column in np.argwhere(layers.depth_m > 0)[::7]:
        here = (z > 0.5) & (np.abs(u - column) <= 0.5) & (np.abs(v - row) <= 0.5)
        assert layers.depth_m[row, column] == pytest.approx(z[here].min(), abs=1e-4)
    seen = (z > 0.5) & (u > 0) & (u < camera_.width_px - 1) & (v > 0) & (v < camera_.height_px - 1)
    assert (layers.depth_m[np.rint(v[seen]).astype(int), np.rint(u[seen]).astype(int)] <= z[seen] + 1e-4).all()


def test_categories_of_its_own_are_mapped(tiny_dataset):
    plain = dataset(tiny_dataset).labels(0)
    data = dataset(tiny_dataset, labels={"categories": {"vehicle.car": "bus"}})
    mapped, car, bus = data.labels(0), CLASSES.index("car"), CLASSES.index("bus")
    assert (plain.classes == car).any()
    np.testing.assert_array_equal(mapped.classes, np.where(plain.classes == car, bus, plain.classes))


class SplitLidar:
    """A recording whose one lidar is said to be two: the even beams, and the odd ones turned by a quarter."""

    def __init__(self, path):
        self._path, self._recording = path, open_recording(path)
        self.root, self.scene_names = path, self._recording.scene_names

    def __reduce__(self):
        return SplitLidar, (self._path,)

    def keyframes(self, name):
        return [
            replace(keyframe, sweeps=self._both(keyframe.sweeps[0])) for keyframe in self._recording.keyframes(name)
        ]

    def _both(self, sweep):
        turned = replace(sweep.lidar, channel="TURNED", T_ego_lidar=sweep.T_ego_lidar @ QUARTER)
        return sweep, replace(sweep, lidar=turned)

    def read_points(self, sweep):
        points = self._recording.read_points(sweep)
        second = sweep.lidar.channel == "TURNED"
        points = points.take(np.flatnonzero(points.ring % 2 == second))
        return replace(points, xyz_lidar=points.xyz_lidar @ QUARTER[:3, :3].astype(np.float32)) if second else points


def test_all_lidars_of_a_keyframe_are_seen(tiny_dataset):
    """Two halves of a lidar give the depth and the points of the whole."""
    options = DatasetOptions("sparse", SIZE, inputs=InputOptions(sweep_depth=True, sweep_points=True))
    whole, halves = (
        DepthDataset(tiny_dataset, None, options)[1],
        DepthDataset(SplitLidar(tiny_dataset), None, options)[1],
    )
    assert (whole["depth_m"] > 0).sum() > 500
    for name in ("depth_m", "sweep_m"):
        torch.testing.assert_close(whole[name], halves[name], rtol=0, atol=1e-4)
    there, both = (sample["points"][sample["points"].isfinite().all(1)] for sample in (whole, halves))
    assert len(there) == len(both) > 1000
    torch.testing.assert_close(there.sum(0), both.sum(0), rtol=1e-3, atol=0.1)


# Workers that are spawned import torch anew.
@pytest.mark.slow
def test_another_recording_in_other_processes(tiny_dataset):
    data = DepthDataset(SplitLidar(tiny_dataset), None, DatasetOptions("sparse", SIZE))
    here = data[0]
    spawn, first = multiprocessing.get_context("spawn"), torch.utils.data.Subset(data, [0])
    (there,) = DataLoader(first, None, num_workers=1, multiprocessing_context=spawn)
    assert torch.equal(here["depth_m"], there["depth_m"])


def test_more_points_than_there_is_room_for(tiny_dataset, monkeypatch):
    """What is left out is spread over the whole sweep."""
    monkeypatch.setattr(sweep_points, "MAX_POINTS", 500)
    options = DatasetOptions("none", SIZE, inputs=InputOptions(sweep_points=True))
    points = DepthDataset(tiny_dataset, None, options)[0]["points"]
    assert points.shape == (500, 3)
    assert points.isfinite().all()
    assert len(torch.atan2(points[:, 1], points[:, 0]).mul(4 / np.pi).round().unique()) >= 8


def test_numbered_samples_repeat_and_differ(tiny_dataset):
    data = NumberedSamples([dataset(tiny_dataset, augmentation=ALL, augmented=True)], seed=3)
    one, again, other = data[1], data[1], data[1 + len(data)]
    assert one["sample_token"] == other["sample_token"]
    for name in ("images", "K", "T_ref_cam", "depth_m", "boxes"):
        assert torch.equal(one[name].nan_to_num(), again[name].nan_to_num())
        assert not torch.equal(one[name].nan_to_num(), other[name].nan_to_num())


# Workers that are spawned import torch anew.
@pytest.mark.slow
@pytest.mark.parametrize("how", ["fork", "spawn"])
def test_workers_give_the_same(tiny_dataset, how):
    data = dataset(tiny_dataset, supervision="dense")
    here = [data[i] for i in range(len(data))]
    loader = DataLoader(data, None, num_workers=1, multiprocessing_context=multiprocessing.get_context(how))
    for mine, theirs in zip(here, loader, strict=True):
        assert mine["sample_token"] == theirs["sample_token"]
        for name in ("images", "depth_m", "source", "K"):
            assert torch.equal(mine[name], theirs[name])


def test_the_keyframe_before_is_seen_from_here(tiny_dataset):
    data = dataset(tiny_dataset, inputs={"previous": True})
    first, second = data[0], data[1]
    assert second["images"].shape[0] == 12
    torch.testing.assert_close(first["T_ref_cam"][:6], first["T_ref_cam"][6:])
    torch.testing.assert_close(second["images"][6:], first["images"][:6])
    T_global = second["T_global_ref"] @ second["T_ref_cam"][6]
    torch.testing.assert_close(T_global, first["T_global_ref"] @ first["T_ref_cam"][0])
    assert not second["depth_m"][6:].any()


def test_fewer_cameras_and_boxes(tiny_dataset):
    data = dataset(tiny_dataset, augmentation=ALL, augmented=True, inputs={"cameras": 5}, labels={"max_boxes": 3})
    assert data[0]["images"].shape[0] == 5
    assert data[0]["boxes"].shape == (3, 9)
    near = data.labels(0).boxes
    assert (np.diff(np.hypot(near[:, 0], near[:, 1])) >= 0).all()


def test_what_does_not_fit_is_refused(tiny_dataset, tmp_path):
    with pytest.raises(InputError, match="comes from a depth store"):
        DepthDataset(tiny_dataset)
    with pytest.raises(InputError, match="no such folder"):
        DepthDataset(tiny_dataset, tmp_path / "nowhere")
    cam = camera(sample="elsewhere", size=(160, 90))
    write_store(tmp_path / "other", [(cam, np.ones((90, 160), np.float32), None)], scene="scene-9999")
    with pytest.raises(InputError, match=r"no scene-0001.h5"):
        DepthDataset(tiny_dataset, tmp_path / "other")
    write_store(tmp_path / "same", [(cam, np.ones((90, 160), np.float32), None)], scene="scene-0001")
    with pytest.raises(InputError, match="no image"):
        DepthDataset(tiny_dataset, tmp_path / "same")
    with pytest.raises(InputError, match="to be drawn of 6"):
        dataset(tiny_dataset, inputs={"cameras": 7})
    with pytest.raises(IndexError):
        dataset(tiny_dataset)[99]


def test_only_files_of_keyframes_are_wanted(tiny_dataset, tmp_path):
    for name in ("v1.0-mini", "samples", "exact", "maps"):
        if (tiny_dataset / name).exists():
            (tmp_path / name).symlink_to(tiny_dataset / name)
    assert len(dataset(tmp_path, None, supervision="sparse")) == len(dataset(tiny_dataset))


def test_boxes_project_into_real_images(find_recording):
    """Centres of boxes that the devkit sees in an image lie in it here too."""
    root = find_recording("nuscenes-keyframe")
    devkit = pytest.importorskip("nuscenes.nuscenes").NuScenes("v1.0-mini", str(root), verbose=False)
    data = dataset(root, None, supervision="none", size=(900, 1600), labels={"min_points": 0})
    sample, keyframe = data[0], data.keyframes[0]
    boxes = sample["boxes"][sample["labels"] >= 0].double().numpy()
    compared = 0
    for K, T_ref_cam, exposure in zip(sample["K"], sample["T_ref_cam"], keyframe.cameras, strict=True):
        T_cam_ref = np.linalg.inv(T_ref_cam.numpy())
        xyz_cam = boxes[:, :3] @ T_cam_ref[:3, :3].T + T_cam_ref[:3, 3]
        uv = (xyz_cam @ K.numpy().T)[:, :2] / xyz_cam[:, 2:]
        _, seen, _ = devkit.get_sample_data(exposure.token)
        for box in seen:
            if class_of(box.name) is not None:
                at = np.linalg.norm(xyz_cam - box.center, axis=1).argmin()
                theirs = (K.numpy() @ box.center)[:2] / box.center[2]
                np.testing.assert_allclose(uv[at], theirs, atol=0.2)
                compared += 1
    assert compared > 20
