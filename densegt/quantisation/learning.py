"""Where weights are rounded to, and the scales, learned of what the float network says: AdaRound, all layers at once.

W = step * clamp(floor(W/step) + h(V)), h(V) = clamp(1.2 sigmoid(V) - 0.1, 0, 1), begun at the float weights; a term
that falls to nothing where h is 0 or 1 draws it there (M. Nagel et al., Up or Down?, 2020). Labels are not needed.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from densegt.depth.partial_file import write_whole
from densegt.quantisation.arithmetic import Scale
from densegt.quantisation.config import QuantiseConfig
from densegt.quantisation.graph import Graph, Node
from densegt.quantisation.grid_search import occupied_cells, relative_error
from densegt.quantisation.ranges import Inputs
from densegt.quantisation.simulated import STRETCH, Quantisation, SimulatedGraph
from densegt.quantisation.straight_through import straight_through
from densegt.quantisation.windows import window, window_share, windowed

# By how much h may differ from 0 and 1 for nothing: this power falls from the first to the last.
POWERS = 20.0, 2.0
# Of the steps: the first have no rounding term.
WARM_UP = 0.2
SAVE_EVERY = 100

# What the outputs at eight bits cost, beside the float ones.
TaskLoss = Callable[[Inputs, Inputs], Tensor]
Progress = Callable[[int, int], None]


class LearnedGraph(SimulatedGraph):
    """A graph at eight bits whose roundings and scales have gradients."""

    def __init__(self, graph: Graph, quantisation: Quantisation) -> None:
        super().__init__(graph, quantisation)
        self.log_steps = {
            name: torch.tensor(math.log(scale.step), requires_grad=True) for name, scale in quantisation.scales.items()
        }
        self.roundings = {node.name: self._begun(node) for node in quantisation.plan.layers}

    def _begun(self, node: Node) -> Tensor:
        assert node.weight is not None
        ratio = self.constants[node.weight] / self.steps[node.name]
        share = ((ratio - ratio.floor()).clamp(1e-4, 1 - 1e-4) - STRETCH[1]) / STRETCH[0]
        return (share / (1 - share)).log().requires_grad_()

    def up(self, layer: str) -> Tensor:
        """How far up each weight is rounded, 0 to 1."""
        return (STRETCH[0] * self.roundings[layer].sigmoid() + STRETCH[1]).clamp(0, 1)

    def weight(self, node: Node) -> Tensor:
        """See `SimulatedGraph`."""
        assert node.weight is not None
        step = self.steps[node.name]
        number = (self.constants[node.weight] / step).floor() + self.up(node.name)
        assert self.quantisation is not None
        limit = self.quantisation.weight_limit
        return step * number.clamp(-limit, limit)

    def bias(self, node: Node, bias: Tensor | None) -> Tensor | None:
        """As it is: it is rounded so finely that this says nothing."""
        return bias

    def activation(self, name: str, x: Tensor) -> Tensor:
        """Rounded forward, straight through backward within the range (S. Esser et al., LSQ, 2020)."""
        assert self.quantisation is not None
        scale_name = self.quantisation.plan.scale_of.get(name)
        if scale_name is None:
            return x
        levels, zero = self.quantisation.levels, self.quantisation.scales[scale_name].zero
        return straight_through(x, self.log_steps[scale_name].exp(), levels.least - zero, levels.most - zero)

    def rounding_term(self, power: float) -> Tensor:
        """How far roundings are from being decided, summed."""
        terms = [1 - (2 * self.up(layer) - 1).abs() ** power for layer in self.roundings]
        return torch.stack([term.sum() for term in terms]).sum()

    def decided(self) -> None:
        """Write what was learned into the quantisation."""
        assert self.quantisation is not None
        for name, log_step in self.log_steps.items():
            zero = self.quantisation.scales[name].zero
            self.quantisation.scales[name] = Scale(math.exp(float(log_step.detach())), zero)
        self.quantisation.up = {name: (self.up(name).detach() > 0.5).numpy() for name in self.roundings}


def learn(
    graph: Graph,
    quantisation: Quantisation,
    frames: Sequence[Inputs],
    config: QuantiseConfig,
    task_loss: TaskLoss | None,
    *,
    state: Path,
    progress: Progress | None = None,
) -> None:
    """Learn a quantisation's scales and roundings, from those that it has; goes on where it was interrupted.

    Args:
        task_loss: None learns of each layer's output alone.
        state: a file for how far it is.
    """
    share = window_share(graph)
    small = windowed(graph, share)
    learned, teacher = LearnedGraph(small, quantisation), SimulatedGraph(small)
    optimizer = torch.optim.Adam(
        [
            {"params": list(learned.roundings.values()), "lr": config.rounding_rate},
            {"params": list(learned.log_steps.values()), "lr": config.scale_rate},
        ]
    )
    begun = _resumed(state, learned, optimizer)
    for step in range(begun, config.steps):
        whole = frames[_order(config.seed, step, len(frames))]
        frame = window(whole, share, np.random.default_rng((config.seed, step)))
        loss = _loss(learned, teacher, frame, config, task_loss, step / config.steps)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if progress:
            progress(step + 1, config.steps)
        if (step + 1) % SAVE_EVERY == 0:
            _save(state, step + 1, learned, optimizer)
    learned.decided()


def _order(seed: int, step: int, count: int) -> int:
    """The frame of a step: every one once, then every one again in another order."""
    return int(np.random.default_rng((seed, step // count)).permutation(count)[step % count])


def _loss(
    learned: LearnedGraph,
    teacher: SimulatedGraph,
    frame: Inputs,
    config: QuantiseConfig,
    task_loss: TaskLoss | None,
    done: float,
) -> Tensor:
    with torch.no_grad():
        wanted = teacher.run(frame, every=True)
    said = learned.run(frame, every=True)
    loss = torch.zeros(())
    if config.local:
        loss = loss + config.local * local_loss(learned, said, wanted, frame)
    if task_loss is not None:
        loss = loss + task_loss(said, wanted)
    if done >= WARM_UP:
        at = (done - WARM_UP) / (1 - WARM_UP)
        power = POWERS[1] + (POWERS[0] - POWERS[1]) * 0.5 * (1 + math.cos(math.pi * at))
        loss = loss + config.rounding * learned.rounding_term(power)
    return loss


def local_loss(learned: LearnedGraph, said: Inputs, wanted: Inputs, frame: Inputs) -> Tensor:
    """Mean over the layers: how far off each one's output is, occupied cells counting as much as all."""
    graph = learned.graph
    assert learned.quantisation is not None
    occupied: dict[Any, Tensor] = {}
    terms = []
    for node in learned.quantisation.plan.layers:
        shown = graph.shown(node)
        size = wanted[shown].shape[-2:]
        if size not in occupied:
            occupied[size] = occupied_cells(graph, frame, size)
        terms.append(relative_error(said[shown], wanted[shown], occupied[size]))
    return torch.stack(terms).mean()


def _save(path: Path, step: int, learned: LearnedGraph, optimizer: torch.optim.Optimizer) -> None:
    content = io.BytesIO()
    parts = {"step": step, "optimizer": optimizer.state_dict()}
    for name in ("roundings", "log_steps"):
        parts[name] = {key: value.detach() for key, value in getattr(learned, name).items()}
    torch.save(parts, content)
    write_whole(path, content.getvalue())


def _resumed(path: Path, learned: LearnedGraph, optimizer: torch.optim.Optimizer) -> int:
    """Take over what a file says; gives the step."""
    if not path.is_file():
        return 0
    saved = torch.load(path, weights_only=True)
    with torch.no_grad():
        for name in ("roundings", "log_steps"):
            for key, value in getattr(learned, name).items():
                value.copy_(saved[name][key])
    optimizer.load_state_dict(saved["optimizer"])
    return int(saved["step"])
