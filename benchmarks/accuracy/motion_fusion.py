"""What `accumulate` finds to move with votes beside free space, and without, on simulated worlds; no label is read.

python -m benchmarks.accuracy.motion_fusion world-a world-b --votes votes --json fusion.json

The votes of each world lie in `votes/<world>/`.
"""

from __future__ import annotations

import os

if __name__ == "__main__":
    # One core, so that seconds can be compared; read when numpy and numba start.
    os.environ.update(NUMBA_NUM_THREADS="1", OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.measurements import Measurements, measure_scene
from densegt.accumulation.motion.point_assignment import assign_points
from densegt.accumulation.scene_input import read_scene
from densegt.accumulation.sweep_returns import read_returns, stored_votes
from densegt.datasets import open_recording
from densegt.motion_net.labels.exact import exact_labels
from densegt.motion_net.labels.point_labels import PointLabels
from densegt.motion_net.scans import read_scans

NOTES = """\
Found points: transient, or held by a track. Recall of moving points, share of static ones found (false), within 50 m.
Objects: moving, with at least five points in a sweep, each sweep by itself; found where half of the points are. Tracks
are false where most of their points stand still.
"""
CONFIG = AccumulateConfig(motion="free", refine_poses=False)
NEAR_M, MIN_POINTS = 50.0, 5


@dataclass(frozen=True)
class Found:
    """Counts of one or more worlds."""

    moving: int = 0
    moving_found: int = 0
    static: int = 0
    static_found: int = 0
    objects: int = 0
    objects_found: int = 0
    tracks: int = 0
    false_tracks: int = 0
    seconds: float = 0.0

    def __add__(self, other: Found) -> Found:
        """Of both."""
        return Found(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Found)))


def main(arguments: Sequence[str] | None = None) -> None:
    """Score every world both ways; print, and write what was asked for."""
    options = parser().parse_args(arguments)
    total = {"free space": Found(), "with votes": Found()}
    for folder in options.worlds:
        recording = open_recording(folder)
        (name,) = recording.scene_names
        scene = read_scene(recording, name, CONFIG)
        labels = exact_labels(folder, scene, read_scans(scene, CONFIG), CONFIG)
        votes = stored_votes(options.votes / folder.name / f"{name}.h5")
        for how, said in (("free space", None), ("with votes", votes)):
            measured = measure_scene(scene, read_returns(scene, CONFIG, said), CONFIG)
            found = score(measured, labels)
            total[how] = total[how] + found
            print(folder.name, how, asdict(found), flush=True)
    table = Table("", *total, title=f"{len(options.worlds)} worlds")
    for label, part, whole in (
        ("moving points found %", "moving_found", "moving"), ("static points found %", "static_found", "static"),
        ("objects found %", "objects_found", "objects"), ("false tracks %", "false_tracks", "tracks"),
    ):  # fmt: skip
        shares = (100 * getattr(f, part) / max(getattr(f, whole), 1) for f in total.values())
        table.add_row(label, *(f"{share:.3f}" for share in shares))
    table.add_row("tracks", *(str(f.tracks) for f in total.values()))
    table.add_row("s of processor time a world", *(f"{f.seconds / len(options.worlds):.1f}" for f in total.values()))
    Console(width=120).print(table)
    print(NOTES)
    if options.json:
        options.json.write_text(json.dumps({how: asdict(found) for how, found in total.items()}, indent=1) + "\n")


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    out = argparse.ArgumentParser(description=__doc__ + NOTES, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("worlds", nargs="+", type=Path, metavar="DIR", help="of `densegt simulate`, one scene each")
    out.add_argument("--votes", type=Path, required=True, metavar="DIR", help="stores of votes, one a world")
    out.add_argument("--json", type=Path, metavar="FILE")
    return out


def score(measured: Measurements, labels: PointLabels) -> Found:
    """Find what moves, and compare."""
    start = time.process_time()
    assignment = assign_points(measured, [], CONFIG)
    seconds = time.process_time() - start
    surfels = measured.surfels
    near = np.linalg.norm(surfels.xyz - measured.images.origin[surfels.sweep], axis=1) < NEAR_M
    found = assignment.transient | (assignment.owner >= 0)
    moving, static = near & (labels.moving == 1), near & (labels.moving == 0)
    key = surfels.sweep.astype(np.int64) * (int(labels.thing.max()) + 1) + labels.thing
    _, of, count = np.unique(key[moving], return_inverse=True, return_counts=True)
    there = np.bincount(of, found[moving], minlength=len(count)) >= 0.5 * count
    counted = count >= MIN_POINTS
    false = [_is_false(np.flatnonzero(assignment.owner == k), labels) for k in range(len(assignment.movers))]
    return Found(
        moving=int(moving.sum()), moving_found=int((moving & found).sum()), static=int(static.sum()),
        static_found=int((static & found).sum()), objects=int(counted.sum()),
        objects_found=int((there & counted).sum()), tracks=len(false), false_tracks=sum(false), seconds=seconds,
    )  # fmt: skip


def _is_false(rows: NDArray[np.intp], labels: PointLabels) -> bool:
    return bool(len(rows)) and bool((labels.moving[rows] == 0).mean() > 0.5)


if __name__ == "__main__":
    main()
