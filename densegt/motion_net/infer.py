"""The network's votes on a scene's points."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from densegt.accumulation.config import FreeSpaceConfig
from densegt.depth.point_votes import SweepVotes
from densegt.motion_net.answering import for_answers
from densegt.motion_net.batches import make_batch
from densegt.motion_net.examples import Example, ScanPoints
from densegt.motion_net.network import MotionNet, MotionOutput
from densegt.motion_net.scans import FREE_SPACE_COLUMNS, SceneScans
from densegt.motion_net.scene_maps import SceneMaps


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
    out, maps = SweepVotes.none(len(scans.xyz)), SceneMaps(net, scans)
    for scan in maps.order():
        rows, told = votes_of_scan(maps, scan, config)
        out.moving[rows], out.kind[rows] = told.moving, told.kind
        out.speed_mps[rows], out.offset_m[rows] = told.speed_mps, told.offset_m
        progress()
    return out


@torch.inference_mode()
def votes_of_scan(maps: SceneMaps, scan: int, config: FreeSpaceConfig) -> tuple[NDArray[np.intp], SweepVotes]:
    """The points of a scene that lie within the network's reach of a scan, and votes on them."""
    scans, net = maps.scans, maps.net
    asked, rows = _asked(maps, scan)
    if not len(rows):
        return rows, SweepVotes.none(0)
    shares = np.zeros((len(rows), FREE_SPACE_COLUMNS), dtype=np.float32)
    if net.config.free_space:
        shares = scans.free_space(rows, config).astype(np.float32) / 255
    away = scans.xy[scan] - maps.middle_m(scan)
    example = Example(asked, (), rows, shares, np.eye(2), lidar_xy=(float(away[0]), float(away[1])))
    batch, seen = make_batch([example], net.config.model_copy(update={"scans": 1})), [scan, *maps.others[scan]]
    gap_s = torch.from_numpy(np.abs(scans.scan_s[seen] - scans.scan_s[scan]).astype(np.float32))[None]
    batch = batch._replace(gap_s=gap_s, there=torch.ones_like(gap_s))
    corner = maps.corners[scan]
    stems = [maps.of(k).window(corner, maps.cells) for k in seen]
    found = maps.lookups(scan, batch.cell.numpy(), batch.slice.numpy())
    said = net.told_by_maps(stems, batch, torch.from_numpy(found))
    return rows, _votes(said)


def _asked(maps: SceneMaps, scan: int) -> tuple[ScanPoints, NDArray[np.intp]]:
    """A scan's points about the middle of its square, and which of the scene's they are."""
    scans, reach_m = maps.scans, np.float32(maps.net.config.reach_m)
    rows = scans.rows_of(scan)
    xyh = scans.xyz[rows] - np.append(maps.middle_m(scan), np.float32(0))
    near = (np.abs(xyh[:, :2]) < reach_m).all(axis=1)
    rows, xyh = rows[near], xyh[near]
    xyh[:, 2] = scans.height[rows]
    return ScanPoints(xyh, scans.intensity[rows].astype(np.float32) / 255, scans.ring[rows], 0.0), rows


def _votes(said: MotionOutput) -> SweepVotes:
    return SweepVotes(
        said.moving.sigmoid().numpy(), said.classes.argmax(1).numpy().astype(np.uint8), said.speed_mps.numpy(),
        said.offset_m.numpy(),
    )  # fmt: skip


def of_sweeps(votes: SweepVotes, scans: SceneScans) -> Iterator[SweepVotes]:
    """Each sweep's votes, one for each point of its file."""
    for k, count in enumerate(scans.count):
        here = slice(int(scans.first[k]), int(scans.first[k + 1]))
        out, rows = SweepVotes.none(int(count)), scans.row[here]
        out.moving[rows], out.kind[rows] = votes.moving[here], votes.kind[here]
        out.speed_mps[rows], out.offset_m[rows] = votes.speed_mps[here], votes.offset_m[here]
        yield out
