"""Learning makes the answer nearer to the float one's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
pytest.importorskip("onnxscript")

from densegt.quantisation.config import QuantiseConfig  # noqa: E402
from densegt.quantisation.dense_part import centre_loss  # noqa: E402
from densegt.quantisation.grid_search import least_of, occupied_cells, relative_error  # noqa: E402
from densegt.quantisation.learning import LearnedGraph, learn  # noqa: E402
from densegt.quantisation.positives import Said, positive_cells, positive_loss  # noqa: E402
from densegt.quantisation.quantise import quantisation_of  # noqa: E402
from densegt.quantisation.sensitivity import layer_gains  # noqa: E402
from densegt.quantisation.simulated import SimulatedGraph  # noqa: E402
from densegt.quantisation.straight_through import straight_through  # noqa: E402
from densegt.quantisation.windows import window, window_share, windowed  # noqa: E402

from .small import exported, frames  # noqa: E402

CONFIG = QuantiseConfig(target="tensorrt", grid_frames=3, factors=13, steps=200, rounding_rate=2e-2)


@pytest.fixture(scope="module")
def graph():
    return exported()[2]


@torch.no_grad()
def error(graph, quantisation, given):
    """Of the heat and the values."""
    total = 0.0
    for frame in given:
        said, wanted = SimulatedGraph(graph, quantisation).run(frame), SimulatedGraph(graph).run(frame)
        total += sum(float(((said[n] - wanted[n]) ** 2).mean()) for n in ("heat", "values"))
    return total


def test_it_learns(graph, tmp_path):
    some = frames(6)
    searched = quantisation_of(graph, some, CONFIG)
    before = error(graph, searched, some)
    learn(graph, searched, some, CONFIG, centre_loss(CONFIG), state=tmp_path / "state")
    assert error(graph, searched, some) < 0.8 * before
    assert all(up.dtype == bool for up in searched.up.values())


def test_interrupted_and_resumed_is_as_if_never_interrupted(graph, tmp_path, monkeypatch):
    monkeypatch.setattr("densegt.quantisation.learning.SAVE_EVERY", 4)
    config = CONFIG.model_copy(update={"steps": 10})
    whole, parts = (quantisation_of(graph, frames(), config.model_copy(update={"method": "max-min"})) for _ in range(2))
    learn(graph, whole, frames(), config, centre_loss(config), state=tmp_path / "whole")

    def stop(done, total):
        if done == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        learn(graph, parts, frames(), config, centre_loss(config), state=tmp_path / "parts", progress=stop)
    assert (tmp_path / "parts").is_file()
    learn(graph, parts, frames(), config, centre_loss(config), state=tmp_path / "parts")
    assert whole.scales == parts.scales
    assert all((whole.up[name] == parts.up[name]).all() for name in whole.up)


def test_learning_begins_at_the_float_weights(graph):
    quantisation = quantisation_of(graph, frames(), CONFIG.model_copy(update={"method": "max-min"}))
    learned = LearnedGraph(graph, quantisation)
    for node in quantisation.plan.layers:
        step = learned.steps[node.name]
        assert float(((learned.weight(node) - learned.constants[node.weight]) / step).abs().max()) < 2e-3


def test_the_gradient_of_a_scale_is_that_of_its_values_which_it_stretches():
    """In the middle of the range rounding decides it, beyond the range the limit does: checked by hand, in float64."""
    step = torch.tensor(0.1, dtype=torch.float64, requires_grad=True)
    x = torch.tensor([0.13, 40.0, -3.0], dtype=torch.float64, requires_grad=True)
    y = straight_through(x, step, 0, 255)
    assert y.tolist() == pytest.approx([0.1, 25.5, 0.0])
    y.sum().backward()
    # d/ds of s*round(x/s), straight through: round(x/s) - x/s; of the clipped ones 255 and 0.
    assert float(step.grad) == pytest.approx((1 - 1.3) + 255 + 0)
    assert x.grad.tolist() == [1, 0, 0]


def test_occupied_cells_are_those_with_something_and_their_neighbours(graph):
    occupancy = torch.zeros(1, 6, 32, 32)
    occupancy[0, 3, 9, 9] = 1
    found = occupied_cells(graph, {"occupancy": occupancy}, torch.Size((16, 16)))[0, 0]
    wanted = torch.zeros(16, 16)
    wanted[3:6, 3:6] = 1
    assert torch.equal(found, wanted)


def test_occupied_cells_count_as_much_as_all():
    wanted, occupied = torch.ones(1, 1, 4, 4), torch.zeros(1, 1, 4, 4)
    occupied[0, 0, 0, 0] = 1
    off = wanted.clone()
    off[0, 0, 0, 0] = 0
    assert float(relative_error(off, wanted, occupied)) == pytest.approx(1 + 1 / 16)
    assert float(relative_error(wanted * 0, wanted * 0, occupied * 0)) == 0


def test_positive_cells_are_the_likely_ones():
    heat = torch.full((1, 2, 30, 30), -9.0)
    heat[0, 1, 4, 5] = heat[0, 0, 7, 7] = 3.0
    assert positive_cells(heat).nonzero().tolist() == [[0, 4, 5], [0, 7, 7]]
    # Of more than five hundred the likeliest.
    assert int(positive_cells(torch.linspace(1, 2, 900).view(1, 1, 30, 30)).sum()) == 500
    same = Said(heat, torch.zeros(1, 3, 30, 30))
    other = Said(heat, torch.ones(1, 3, 30, 30))
    assert float(positive_loss(other, same) - positive_loss(same, same)) == pytest.approx(1.0)
    nothing = Said(torch.full_like(heat, -9.0), same.values)
    assert float(positive_loss(other, nothing)) == 0


def test_a_layer_that_loses_much_is_found(graph):
    """The first layer has huge weights for a channel in which nothing ever is, so all others are rounded to nothing."""
    layer = next(graph.layers())
    spoilt = graph.constants[layer.weight].copy()
    spoilt[:, 5] = 60 * np.abs(spoilt).max()
    given = [{"occupancy": frame["occupancy"] * (torch.arange(6) != 5).float().view(1, 6, 1, 1)} for frame in frames()]
    gains = layer_gains(replace(graph, constants={**graph.constants, layer.weight: spoilt}), given, CONFIG)
    assert gains[0].layer == layer.name
    assert gains[0].gain > 0.3
    assert len(gains) == len(list(graph.layers())) - 3


@torch.no_grad()
def test_a_window_is_a_part_of_a_keyframe_where_something_is(graph):
    """Of nothing it says what the whole does."""
    share = 2
    occupancy = torch.zeros(1, 6, 32, 32)
    occupancy[0, 3, 20:, 20:] = 1
    part = window({"occupancy": occupancy}, share, np.random.default_rng(0))["occupancy"]
    assert part.shape == (1, 6, 16, 16)
    assert part.any()
    small = windowed(graph, share)
    assert small.shapes == {"occupancy": (1, 6, 16, 16)}
    heat = SimulatedGraph(small).run({"occupancy": part})["heat"]
    assert heat.shape[-2:] == (8, 8)
    whole = SimulatedGraph(graph).run({"occupancy": torch.zeros(1, 6, 32, 32)})["heat"]
    nothing = SimulatedGraph(small).run({"occupancy": torch.zeros(1, 6, 16, 16)})["heat"]
    np.testing.assert_allclose(nothing[..., 0, 0], whole[..., 0, 0], atol=0.02)


def test_maps_that_cannot_be_divided_stay_whole(graph):
    # Of the coarsest map's eight cells four would be left.
    assert window_share(graph) == 1
    assert window_share(_enlarged(graph, 4)) == 2
    frame = {"occupancy": torch.ones(1, 1, 3, 3)}
    assert window(frame, 1, np.random.default_rng(0)) is frame


def _enlarged(graph, times):
    """Of inputs whose sides are so many times as long."""
    nodes = []
    for node in graph.nodes:
        sizes = node.attributes.get("sizes")
        longer = sizes and (*sizes[:2], *(side * times for side in sizes[2:]))
        nodes.append(replace(node, attributes={**node.attributes, "sizes": longer}) if sizes else node)
    shapes = {name: (*shape[:2], *(side * times for side in shape[2:])) for name, shape in graph.shapes.items()}
    return replace(graph, nodes=tuple(nodes), shapes=shapes)


def test_the_least_is_found_among_few():
    tried = []

    def error(k):
        tried.append(k)
        return abs(k - 17)

    assert least_of(error, 37) == 17
    assert len(tried) == len(set(tried)) < 16
    assert least_of(lambda k: 1.0, 5) == 0
    assert least_of(lambda k: -float(k), 2) == 1
