"""Sparse convolutions at eight bits, simulated."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
pytest.importorskip("onnxscript")

from densegt.datasets import RecordingPath  # noqa: E402
from densegt.detection.bev.grid import BevGrid  # noqa: E402
from densegt.detection.checkpoint import read_task  # noqa: E402
from densegt.detection.fit import TrainingSource  # noqa: E402
from densegt.detection.points.centerpoint_voxel.config import CenterPointVoxelConfig  # noqa: E402
from densegt.detection.points.centerpoint_voxel.network import CenterPointVoxel  # noqa: E402
from densegt.detection.points.centerpoint_voxel.sparse import SparseMap  # noqa: E402
from densegt.detection.predict import validation_dataset  # noqa: E402
from densegt.errors import InputError  # noqa: E402
from densegt.quantisation.arithmetic import LEVELS, Levels  # noqa: E402
from densegt.quantisation.config import QuantiseConfig  # noqa: E402
from densegt.quantisation.sparse_simulated import (  # noqa: E402
    SimulatedSparse,
    sparse_frame,
    sparse_layers,
    sparse_quantisation,
)
from densegt.quantisation.voxels import SIMULATED, frame_of, prepare_voxels  # noqa: E402

from .small import checkpoint  # noqa: E402

GRID = BevGrid(-8, 8, -8, 8, 1.0, -1, 3)
CONFIG = CenterPointVoxelConfig(voxel_m=0.5, layers=8, sweeps=0, widths=(6, 8), channels=8, min_radius=1)
SMALL = {"voxel_m": 0.5, "layers": 4, "sweeps": 0, "widths": [4, 4], "channels": 8}


def given(seed):
    """Some voxels, with something in each."""
    generator = torch.Generator().manual_seed(seed)
    shape = (1, 8, 32, 32)
    voxel = torch.randperm(8 * 32 * 32, generator=generator)[:400].sort().values
    return SparseMap(torch.randn(400, 6, generator=generator), voxel, shape)


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    made = CenterPointVoxel(CONFIG, GRID)
    for module in made.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.momentum = None
    with torch.no_grad():
        made.train()
        for seed in (7, 8):
            made.sparse(given(seed))
    return made.eval()


@pytest.fixture(scope="module")
def frames(net):
    with torch.no_grad():
        return [sparse_frame(net, given(seed)) for seed in range(3)]


@torch.no_grad()
def test_in_float_it_is_the_network(net, frames):
    wanted = net.sparse(given(0))
    torch.testing.assert_close(SimulatedSparse(sparse_layers(net)).run(frames[0])[-1], wanted.features)
    assert torch.equal(frames[0].last.voxel, wanted.voxel)
    assert frames[0].last.shape == wanted.shape


@torch.no_grad()
def test_with_many_bits_it_is_float(net, frames):
    layers, wide = sparse_layers(net), Levels(-(2**20), 2**20 - 1)
    made = sparse_quantisation(layers, frames, QuantiseConfig(method="max-min"), wide)
    made.weight_limit = 2**20
    for ours, theirs in zip(
        SimulatedSparse(layers, made).run(frames[0]), SimulatedSparse(layers).run(frames[0]), strict=True
    ):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("target", ["cpu", "tensorrt"])
@pytest.mark.parametrize("method", ["max-min", "percentile", "grid"])
def test_every_layer_is_at_eight_bits(net, frames, target, method):
    """Those that stay as those that stride: weights and what is read are whole numbers of steps, by hand."""
    layers, levels = sparse_layers(net), LEVELS[target]
    made = sparse_quantisation(layers, frames, QuantiseConfig(target=target, method=method, factors=10), levels)
    assert list(made.scales) == ["entering.0", "staying.0", "entering.1", "staying.1"]
    simulated, floats = SimulatedSparse(layers, made), SimulatedSparse(layers)
    for number, layer in enumerate(layers):
        weight, scale = simulated._weights[number], made.scales[layer.name]
        for channel in range(len(weight)):
            step = layer.weight[channel].abs().max() / 127
            numbers = weight[channel] / step
            assert (numbers - numbers.round()).abs().max() < 1e-3
            assert numbers.abs().max() <= 127.001
        features = floats.run(frames[0])[number]
        read = (features / scale.step).round().clamp(levels.least - scale.zero, levels.most - scale.zero) * scale.step
        routes, sites = frames[0].routes[number]
        by_hand = torch.zeros(sites, len(weight))
        for (source, to), place in zip(routes, weight.flatten(2).unbind(2), strict=True):
            by_hand.index_add_(0, to, read[source] @ place.T)
        said = simulated.layer(number, features, frames[0])
        assert (said - (by_hand + layer.bias).relu()).abs().max() < 0.6 * scale.step * weight.abs().max()
        # And that is not what float says.
        assert (said - floats.layer(number, features, frames[0])).abs().max() > 0


@torch.no_grad()
def test_the_grid_is_nearer_to_float_than_the_widest_range(net, frames):
    layers = sparse_layers(net)
    # Few values are large.
    peaked = [frame._replace(features=frame.features**5) for frame in frames]

    def error(method):
        made = sparse_quantisation(layers, peaked, QuantiseConfig(method=method), LEVELS["tensorrt"])
        ours, floats = SimulatedSparse(layers, made), SimulatedSparse(layers)
        return sum(float(((ours.run(f)[-1] - floats.run(f)[-1]) ** 2).mean()) for f in peaked)

    assert error("grid") < error("max-min")


@torch.no_grad()
def test_from_a_checkpoint_to_boxes(tiny_dataset, tmp_path):
    path = checkpoint(tmp_path, detector="centerpoint-voxel", centerpoint_voxel=SMALL)
    task = read_task(path)
    dataset = validation_dataset(task, TrainingSource(RecordingPath(tiny_dataset)))
    batches = [torch.utils.data.default_collate([dataset[k]]) for k in range(2)]
    prepared = prepare_voxels(task, path, batches)
    frame = frame_of(task, batches[0])
    with torch.no_grad():
        wanted = task.net.detector(task.net.points(batches[0], batches[0]["depth_m"]))
    for method in SIMULATED:
        config = QuantiseConfig(method=method, factors=5, grid_frames=2)
        said = prepared.simulated(config).answer(frame)
        off = float((said.heat - wanted.heat).abs().max())
        assert (off < 1e-4) == (method == "float"), method
        assert off < 0.5 * float(wanted.heat.std()) + 1e-4
    found = prepared.simulated(QuantiseConfig(method="float")).found(frame, batches[0])
    assert len(found.scores) == len(task.prediction(batches[0]).found.scores) > 0


def test_other_detectors_are_refused(tmp_path):
    path = checkpoint(tmp_path)
    with pytest.raises(InputError, match="pixor is not on sparse voxels"):
        prepare_voxels(read_task(path), Path("best.ckpt"), [])
