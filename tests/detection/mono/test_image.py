"""The network on whole images: its cells, its targets, its training, and what it says without any 2D box."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")

from densegt.datasets import RecordingPath  # noqa: E402
from densegt.detection.checkpoint import read_task  # noqa: E402
from densegt.detection.fit import TrainingSource  # noqa: E402
from densegt.detection.losses import heat_loss  # noqa: E402
from densegt.detection.mono.centres_2d import boxes_of, cells_of, edges_of, found_2d, heat_of  # noqa: E402
from densegt.detection.mono.config import MonoModelConfig  # noqa: E402
from densegt.detection.mono.image_batch import collated  # noqa: E402
from densegt.detection.mono.image_dataset import MonoImages  # noqa: E402
from densegt.detection.mono.image_net import STRIDE, ImageMaps, ImageNet  # noqa: E402
from densegt.detection.mono.image_task import MonoImageTask, matches  # noqa: E402
from densegt.errors import InputError  # noqa: E402

from ...depth.stores import densegt  # noqa: E402
from .things import config  # noqa: E402

TINY = {
    "batch": 4, "epochs": 2, "loader_processes": 0, "threads": 1,
    "model": {
        "detector": "mono-image", "features": 32, "min_height_deg": 3.0, "dropout": 0.0,
        "image": {"size": [88, 160], "widths": [8, 16, 24], "blocks": [1, 1, 1], "channels": 16},
    },
    "loss": {"points": 16, "rays": 8, "mean_steps": 2, "explore_every": 3},
}  # fmt: skip
SHAPE = (10, 20)
BOXES = torch.tensor([[3.5, 3.5, 21.5, 15.5], [40.0, 8.0, 70.0, 31.0], [0.0, 0.0, 6.0, 5.0]])


def maps_of(heat, edges=None):
    """Logits (B,C,h,w) with the edges of boxes of two cells' half size."""
    edges = torch.full((len(heat), 4, *heat.shape[2:]), math.log(2.0)) if edges is None else edges
    return ImageMaps(heat, edges, torch.zeros(len(heat), 1, *heat.shape[2:]))


def test_a_box_is_that_of_its_cell_and_edges():
    cell = cells_of(BOXES, SHAPE)
    assert cell.tolist() == [2 * 20 + 3, 5 * 20 + 13, 20 * 0 + 0]
    assert torch.allclose(boxes_of(edges_of(BOXES, cell, SHAPE[1]), cell, SHAPE[1]), BOXES, atol=1e-3)


def test_heat_is_one_at_centres_and_less_than_one_at_what_does_not_count():
    counted, of = torch.tensor([True, True, False]), torch.tensor([0, 1, 1])
    heat = heat_of(BOXES, torch.tensor([0, 1, 0]), of, counted, torch.zeros(3, 2, *SHAPE))
    assert (heat == 1).nonzero().tolist() == [[0, 0, 2, 3], [1, 1, 5, 13]]
    assert 0.99 < float(heat[1, 0, 0, 0]) < 1
    assert not heat[2].any()
    # To find it or to miss it costs next to nothing.
    logits = torch.stack([torch.tensor(-6.0), torch.tensor(6.0)])
    assert float(heat_loss(logits, torch.full((2,), float(heat[1, 0, 0, 0]))).max()) < 1e-3


def test_a_centre_beside_one_that_does_not_count_is_a_centre():
    heat = heat_of(
        BOXES[[0, 0]], torch.zeros(2).long(), torch.zeros(2).long(), torch.tensor([False, True]),
        torch.zeros(1, 1, *SHAPE),
    )  # fmt: skip
    assert int((heat == 1).sum()) == 1


def test_of_equal_neighbours_one_is_found():
    heat = torch.full((2, 1, *SHAPE), -9.0)
    heat[0, 0, 4, 6:8] = 2.0
    heat[0, 0, 8, 15] = 1.0
    found = found_2d(maps_of(heat), most=10, min_score=0.05, max_overlap=0.5)
    assert found.of.tolist() == [0, 0]
    assert found.cell.tolist() == [4 * 20 + 6, 8 * 20 + 15]
    assert found.score.tolist() == pytest.approx([1 / (1 + math.exp(-2.0)), 1 / (1 + math.exp(-1.0))])
    left, top, right, bottom = found.box_px[0].tolist()
    assert (right - left, bottom - top) == pytest.approx((4 * STRIDE, 4 * STRIDE))


def test_of_no_peak_nothing_is_found():
    found = found_2d(maps_of(torch.full((2, 1, *SHAPE), -9.0)), most=10, min_score=0.05, max_overlap=0.5)
    assert [len(part) for part in found] == [0] * 5


def test_each_given_box_is_of_the_likeliest_found_one():
    given = np.array([[0.0, 0, 10, 10], [20.0, 0, 30, 10], [50.0, 0, 60, 10]])
    found = np.array([[0.0, 0, 10, 8], [0.0, 0, 10, 10], [20.0, 0, 30, 10]])
    car, other = np.zeros((3, 2)), np.array([[0.0, 0], [0, 0], [0, 1]])
    assert matches(found, car, given, car).tolist() == [0, 2, -1]
    assert matches(found, other, given, car).tolist() == [0, -1, -1]


@pytest.mark.parametrize("size", [(64, 96), (44, 60)])
def test_shapes_of_maps_and_answers(size):
    model = MonoModelConfig.model_validate(TINY["model"])
    net = ImageNet(model)
    maps = net(torch.randint(255, (2, 3, *size), dtype=torch.uint8))
    h, w = size[0] // STRIDE, size[1] // STRIDE
    assert [tuple(part.shape) for part in maps] == [(2, 1, h, w), (2, 4, h, w), (2, 16, h, w)]
    for count in (0, 3):
        of = torch.ones(count).long()
        answer = net.answer(maps, of, of, torch.zeros(count, 10), 0 * of)
        assert [tuple(part.shape) for part in answer] == [(count, 3), (count, 8), (count, 4), (count, 4)]


def test_the_full_network_is_resnet_34_s_size():
    net = ImageNet(MonoModelConfig())
    weights = sum(p.numel() for p in [*net.stem.parameters(), *net.pyramid.stages.parameters()])
    assert weights == pytest.approx(21.3e6, rel=0.01)


@pytest.mark.parametrize("wrong", [{"size": [89, 160]}, {"blocks": [1]}, {"widths": [8, 16, 0]}])
def test_what_no_network_can_be_made_of_is_refused(wrong):
    with pytest.raises(ValueError, match=r"size|widths|blocks"):
        config(**{**TINY, "model": {**TINY["model"], "image": {**TINY["model"]["image"], **wrong}}})


@pytest.fixture(scope="module")
def images(tiny_dataset):
    torch.manual_seed(0)
    task = MonoImageTask(config(**TINY).model_dump())
    source = TrainingSource(RecordingPath(tiny_dataset), tiny_dataset / "exact")
    dataset = task.dataset(source, task.dataset_options(learned=True, has_depth=True), None)
    return task, dataset


def test_objects_stay_on_their_pixels_when_images_are_varied(images):
    """A mirrored and scaled image has its boxes where the objects are, and numbers of the same objects."""
    task, dataset = images
    samples = MonoImages([dataset], task.settings, augmented=True)
    plain = MonoImages([dataset], task.settings, augmented=False)
    place = max(range(len(plain)), key=lambda i: len(plain[i]["box_px"]))
    before, turned = plain[place], 0
    for turn in range(6):
        after = samples[place + turn * len(samples)]
        assert torch.equal(after["image"], samples[place + turn * len(samples)]["image"])
        assert len(after["box_px"]) + len(after["other_px"]) <= len(before["box_px"]) + len(before["other_px"])
        assert len(after["box_px"]) == len(after["objects"]["kind"])
        size = (after["box_px"][:, 2:] - after["box_px"][:, :2]).float()
        aspect = (size[:, 0] / size[:, 1]).log()
        # Numbers tell the box's width to its height in the object's view.
        whole = ~after["objects"]["cut"].any(1)
        assert torch.allclose(aspect[whole], after["objects"]["numbers"][whole, 1], atol=0.25)
        turned += bool((after["objects"]["box_ab"].sum() - before["objects"]["box_ab"].sum()).abs() > 1e-4)
    assert turned


def test_gradients_are_finite_and_reach_every_weight(images):
    task, dataset = images
    samples = MonoImages([dataset], task.settings, augmented=True)
    batch = collated([samples[i] for i in range(6)])
    assert len(batch["of"])
    task.train()
    for step in (0, 3, 4):
        task.zero_grad()
        torch.stack(list(task.losses(batch, step).values())).sum().backward()
        grads = {name: p.grad for name, p in task.net.named_parameters()}
        assert all(grad is not None and bool(grad.isfinite().all()) for grad in grads.values())


def test_an_image_without_objects_is_learned_from_too(images):
    task, dataset = images
    empty = next(i for i, known in enumerate(dataset.kept()) if not len(known.box_px))
    batch = collated([MonoImages([dataset], task.settings, augmented=True)[empty]] * 2)
    task.train()
    task.zero_grad()
    parts = task.losses(batch, 5)
    total = torch.stack(list(parts.values())).sum()
    total.backward()
    assert float(total.detach()) > 0
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in task.net.parameters())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("train-mono-image")
    (folder / "tiny.yaml").write_text(json.dumps(TINY))
    return folder


def train(root, folder, out, *more):
    """The same folder twice: its scene is learned from once, and held out once."""
    both = ["--dataroot", root, "--dataroot", root, "--depth", root / "exact", "--depth", root / "exact"]
    options = ["--supervision", "dense", "--config", folder / "tiny.yaml"]
    return densegt("train-mono", *both, "--out", out, *options, *more)


@pytest.fixture(scope="module")
def trained(tiny_dataset, folder):
    done = train(tiny_dataset, folder, folder / "out")
    assert done.exit_code == 0, done.output
    return folder / "out", done


def test_what_a_training_says_and_writes(trained):
    out, done = trained
    assert "found in 2D" in done.stderr.splitlines()[1]
    assert type(read_task(out / "checkpoints" / "best.ckpt")) is MonoImageTask


def test_boxes_are_found_without_2d_boxes(trained, tiny_dataset, tmp_path):
    """What `predict` finds does not depend on the 2D boxes that scores are made with."""
    (tmp_path / "none.json").write_text("{}")
    options = ["--checkpoint", trained[0] / "checkpoints" / "best.ckpt", "--dataroot", tiny_dataset]
    for name, more in (("a", []), ("b", ["--boxes-2d", tmp_path / "none.json"])):
        done = densegt("predict", *options, "--out", tmp_path / name, *more)
        assert done.exit_code == 0, done.output
    a, b = (json.loads((tmp_path / name / "results.json").read_text()) for name in "ab")
    assert a == b
    assert all(0 < row["detection_score"] < 1 for rows in a["results"].values() for row in rows)


def test_a_resumed_training_is_that_of_one_uninterrupted(trained, tiny_dataset, folder, tmp_path, monkeypatch):
    step = MonoImageTask.training_step

    def stop(self, batch, index):
        if self.current_epoch == 1:
            raise KeyboardInterrupt
        return step(self, batch, index)

    monkeypatch.setattr(MonoImageTask, "training_step", stop)
    assert train(tiny_dataset, folder, tmp_path).exit_code != 0
    monkeypatch.undo()
    assert train(tiny_dataset, folder, tmp_path, "--resume").exit_code == 0
    whole, parts = (
        torch.load(out / "checkpoints/last.ckpt", weights_only=True)["state_dict"] for out in (trained[0], tmp_path)
    )
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def test_weights_of_the_other_network_are_refused(images, trained, tmp_path):
    from densegt.detection.mono.task import MonoTask

    task = MonoTask(config().model_dump())
    with pytest.raises(InputError, match="train-mono"):
        task.start_from(trained[0] / "checkpoints" / "best.ckpt")
    assert MonoImageTask(config(**TINY).model_dump()).start_from(trained[0] / "checkpoints" / "best.ckpt") == "network"


@pytest.mark.slow  # learns until it shows
def test_it_learns_to_find_cars_in_images(images, tiny_dataset):
    """Of images that it has learned from: most objects are found, and about where they are."""
    _, dataset = images
    torch.manual_seed(0)
    task = MonoImageTask(config(**{**TINY, "loss": {"points": 24, "rays": 16, "mean_steps": 20}}).model_dump())
    samples = MonoImages([dataset], task.settings, augmented=False)
    optimizer = torch.optim.AdamW(task.net.parameters(), lr=4e-3)
    order, costs = np.random.default_rng(0), []
    for step in range(150):
        batch = collated([samples[int(i)] for i in order.integers(len(samples), size=6)])
        loss = torch.stack(list(task.losses(batch, step).values())).sum()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(task.net.parameters(), 5.0)
        optimizer.step()
        costs.append(float(loss.detach()))
    assert np.mean(costs[-15:]) < 0.4 * np.mean(costs[:15])
    task.eval()
    scores, given, met, off_m = task.scores(), 0, 0, []
    for index in range(len(dataset)):
        batch = torch.utils.data.default_collate([dataset[index]])
        with torch.inference_mode():
            said = task.prediction(batch)
        scores.update(said, dataset.labels(index))
        given, met = given + len(batch["box_px"][0]), met + len(said.said)
        off_m += np.hypot(*(said.said - said.true)[:, :2].T).tolist()
    assert met > 0.6 * given
    assert np.nanmedian(off_m) < 3.0
