"""The head by itself: what points say without the map, learned in seconds before the whole network learns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from densegt.motion_net.batches import Targets, make_batch, make_targets
from densegt.motion_net.config import MotionTrainConfig
from densegt.motion_net.dataset import LearnedScans
from densegt.motion_net.losses import losses_of
from densegt.motion_net.network import MotionNet, lookups
from densegt.motion_net.scene_data import SceneData

# Scans whose points are learned from in one step.
SCANS = 4
LEARNING_RATE = 1e-2


class HeadScan(NamedTuple):
    """The points of a scan as the head takes them: features (P,F), lookups (P,L), and what they are."""

    features: Tensor
    found: Tensor
    targets: Targets


def fit_head(net: MotionNet, scenes: Sequence[SceneData], config: MotionTrainConfig) -> None:
    """Let the head learn by points alone. The map then adds to what it says, from nothing on."""
    width = net.config.width
    first = next(iter(net.point.parameters()))
    with torch.no_grad():
        # Of the map, which says nothing yet.
        first[:, :width] = 0
    scans = head_scans(net, scenes, config)
    parameters = [*net.point.parameters(), *net.head.parameters()]
    optimizer = torch.optim.AdamW(parameters, LEARNING_RATE, weight_decay=config.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=config.head_steps)
    rng = np.random.default_rng(config.seed)
    for _ in range(config.head_steps):
        some = [scans[k] for k in rng.integers(len(scans), size=SCANS)]
        example = torch.repeat_interleave(torch.arange(len(some)), torch.tensor([len(s.features) for s in some]))
        features, found = (torch.cat([getattr(s, name) for s in some]) for name in ("features", "found"))
        targets = Targets(*(torch.cat(parts) for parts in zip(*(s.targets for s in some), strict=True)))
        said = net.told(features.new_zeros(len(features), width), features, found)
        loss = torch.stack(list(losses_of(said, targets, example).values())).sum()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()


def head_scans(net: MotionNet, scenes: Sequence[SceneData], config: MotionTrainConfig) -> list[HeadScan]:
    """One epoch's scans; they need no second reading."""
    drawn = LearnedScans(scenes, net.config, every=config.every, points=config.points, seed=config.seed)
    out = []
    for k in range(len(drawn)):
        example, told = drawn[k]
        batch = make_batch([example], net.config)
        out.append(HeadScan(batch.features, lookups(batch), make_targets([told])))
    return out
