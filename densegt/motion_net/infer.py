"""The network's votes on a scene's points."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from densegt.accumulation.config import FreeSpaceConfig
from densegt.depth.point_votes import SweepVotes
from densegt.motion_net.answering import for_answers
from densegt.motion_net.batches import make_batch
from densegt.motion_net.examples import Example, make_example
from densegt.motion_net.network import MotionNet
from densegt.motion_net.scans import SceneScans


@torch.inference_mode()
def answer(net: MotionNet, example: Example) -> SweepVotes:
    """Votes on the points of an example; offsets in global x and y."""
    if not len(example.rows):
        return SweepVotes.none(0)
    said = net(make_batch([example], net.config))
    offset = said.offset_m.numpy() @ example.R_base_global.astype(np.float32)
    return SweepVotes(
        said.moving.sigmoid().numpy(), said.classes.argmax(1).numpy().astype(np.uint8), said.speed_mps.numpy(), offset
    )


def with_reach(net: MotionNet, reach_m: float) -> MotionNet:
    """The same network, asked about more or less of the world around."""
    net.config = net.config.model_copy(update={"reach_m": reach_m})
    return for_answers(net)


def votes_of_scene(
    net: MotionNet, scans: SceneScans, config: FreeSpaceConfig, *, progress: Callable[[], None] = lambda: None
) -> SweepVotes:
    """Votes on all points of a scene (N); none of those beyond the network's reach.

    Args:
        progress: called after each scan.
    """
    out = SweepVotes.none(len(scans.xyz))
    for scan in range(len(scans)):
        rows, told = _of_scan(net, scans, scan, config)
        out.moving[rows], out.kind[rows] = told.moving, told.kind
        out.speed_mps[rows], out.offset_m[rows] = told.speed_mps, told.offset_m
        progress()
    return out


def _of_scan(
    net: MotionNet, scans: SceneScans, scan: int, config: FreeSpaceConfig
) -> tuple[NDArray[np.intp], SweepVotes]:
    example = make_example(scans, scan, net.config, None)
    if net.config.free_space and len(example.rows):
        shares = scans.free_space(example.rows, config).astype(np.float32) / 255
        example = replace(example, free_space=shares)
    return example.rows, answer(net, example)


def of_sweeps(votes: SweepVotes, scans: SceneScans) -> Iterator[SweepVotes]:
    """Each sweep's votes, one for each point of its file."""
    for k, count in enumerate(scans.count):
        here = slice(int(scans.first[k]), int(scans.first[k + 1]))
        out, rows = SweepVotes.none(int(count)), scans.row[here]
        out.moving[rows], out.kind[rows] = votes.moving[here], votes.kind[here]
        out.speed_mps[rows], out.offset_m[rows] = votes.speed_mps[here], votes.offset_m[here]
        yield out
