"""What each step is worth: public methods and densegt's own stages, scored against exact depth on simulated worlds.

python -m benchmarks.accuracy.ablation --seeds 901 902 903 --seconds 4 --cache /tmp/worlds
python -m benchmarks.accuracy.ablation --worlds world-a world-b --json ablation.json
"""

from __future__ import annotations

import os

if __name__ == "__main__":
    # One core, so that seconds can be compared; read when numpy and numba start.
    os.environ.update(NUMBA_NUM_THREADS="1", OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import argparse
import json
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.accuracy import baselines, steps
from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.pipeline import accumulate_scene
from densegt.accumulation.scene_input import read_scene
from densegt.datasets import open_recording
from densegt.datasets.scene import Scene
from densegt.depth.figures import DEFINITIONS, Summary
from densegt.depth.metrics import DepthMetrics
from densegt.depth.steps import decode_depth, encode_depth
from densegt.depth.store import SceneReader, scene_files
from densegt.simulate.config import SimulateConfig
from densegt.simulate.run import simulate

ROOT = Path(__file__).parents[1]

METHODS: Mapping[str, Callable[[Scene], baselines.Depths]] = {
    "single sweep": baselines.single_sweep,
    "10 past sweeps (devkit)": baselines.past_sweeps,
    "±20 sweeps": baselines.sweeps_around,
    "±20 sweeps, boxes interpolated": baselines.boxes_interpolated,
    "SurroundOcc-like": baselines.pooled_instances,
    "radar-camera-fusion-depth-like": baselines.masked_objects,
    "whole scene": baselines.whole_scene,
    "+ mixed pixels dropped": steps.sound_points,
    "+ motion": steps.motion,
    "+ visibility": steps.visibility,
    "+ free space": steps.free_space,
    "+ enclosure": steps.enclosure,
    "+ surface": steps.surface,
    "+ confidence (= densegt)": steps.full,
    "densegt --no-surface": steps.measured,
}

COLUMNS: Mapping[str, Callable[[Summary], float | None]] = {
    "accuracy %": lambda s: (s.labelled_world or s.all).right_percent,
    "outlier %": lambda s: (s.labelled_world or s.all).outlier_percent,
    "outlier %, all": lambda s: s.all.outlier_percent,
    "labelled dynamic objects": lambda s: _of(s, "labelled_mover"),
    "unlabelled dynamic objects": lambda s: _of(s, "unlabelled_mover"),
    "near discontinuities": lambda s: s.by_edge["near"].outlier_percent,
    "coverage %": lambda s: s.all.coverage_percent,
}
SECONDS = "s / keyframe"

NOTES = """\
Right, outlier and coverage are densegt's (`densegt.depth.figures.DEFINITIONS`): {right}; an outlier is {outlier}.
The first two columns leave pixels that show unlabelled
movers out of the count, the third does not. The columns of movers and edges are outliers among predicted pixels
there. Cells give the mean over worlds and, in
brackets, the least and the most.

Seconds are of processor time on one core for six cameras: reading, preparing the scene, and rendering, spread over its
keyframes. Baselines are plain numpy, so their seconds say little about the originals'.

- *10 past sweeps*: the devkit's own drawing lets the last point win; a z-buffer here, which is kinder.
- *SurroundOcc-like*: boxes between keyframes as the devkit's `get_boxes` tells them, enlarged by 1.1 and lowered by
  0.1 m; its mesh and voxels are left out.
- *radar-camera-fusion-depth-like*: annotated boxes stand for its image masks, which would also cover vehicles without
  a box, so its column of unlabelled dynamic objects is worse here than with real masks. It does not move objects:
  those of the keyframe's own sweep alone remain.
- *whole scene* and below: densegt's steps, each added to those above it. *+ mixed pixels dropped* leaves out returns
  that hang between two surfaces; *+ free space* shows what other sweeps' beams refute at its own time only, and leaves
  out what stands behind glass, and places objects found without labels. The last two are the commands themselves:
  they leave out what they are not sure of, of measured pixels alone the more.
"""


@dataclass(frozen=True)
class World:
    """A simulated dataset and what it was made with."""

    folder: Path
    seed: int
    seconds: float
    image_size: str


@dataclass(frozen=True)
class Result:
    """One method on one world."""

    method: str
    world: World
    summary: Summary
    seconds_per_keyframe: float

    def figures(self) -> dict[str, float | None]:
        """The table's cells."""
        return {name: of(self.summary) for name, of in COLUMNS.items()} | {SECONDS: self.seconds_per_keyframe}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run every method on every world; print, and write what was asked for."""
    options = parser().parse_args(arguments)
    if options.seeds:
        options.worlds = [simulated(options.cache, seed, options.seconds) for seed in options.seeds]
    worlds = [describe(folder) for folder in options.worlds]
    names = [name for name in METHODS if not options.methods or any(part in name for part in options.methods)]
    results = []
    for world in worlds:
        scenes = load(world)
        warm_up(scenes[0][0])
        for name in names:
            results.append(measure(name, world, scenes))
            print(f"{world.folder.name}: {name}: {results[-1].summary.all.right_percent:.1f} % right", file=sys.stderr)
    Console(width=180).print(table(results))
    made = provenance(worlds, sys.argv[1:] if arguments is None else arguments)
    if options.json:
        options.json.write_text(json.dumps(as_json(results, made), indent=1) + "\n")
    if options.markdown:
        options.markdown.write_text(as_markdown(results, made))


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    out = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    which = out.add_mutually_exclusive_group(required=True)
    which.add_argument("--worlds", nargs="+", type=Path, metavar="DIR", help="folders written by `densegt simulate`")
    which.add_argument("--seeds", nargs="+", type=int, metavar="K", help="simulate these worlds, unless in --cache")
    out.add_argument("--seconds", type=float, default=4.0, help="length of a simulated world")
    out.add_argument("--cache", type=Path, default=Path("worlds"), help="where simulated worlds are kept")
    out.add_argument("--methods", nargs="+", metavar="WORD", help="only methods whose name has one of these")
    out.add_argument("--json", type=Path, metavar="FILE")
    out.add_argument("--markdown", type=Path, metavar="FILE")
    return out


def simulated(cache: Path, seed: int, seconds: float) -> Path:
    """A world of one scene, simulated unless it is there already."""
    folder = cache / f"seed-{seed}-{seconds:g}s"
    if not folder.is_dir():
        simulate(SimulateConfig(scenes=1, seconds=seconds, seed=seed), folder)
    return folder


def describe(folder: Path) -> World:
    """What a world's exact depth says of its making."""
    config = SceneReader(scene_files(folder / "exact")[0]).config["simulate"]
    return World(folder, config["seed"], config["seconds"], f"{config['width_px']}x{config['height_px']}")


def load(world: World) -> list[tuple[Scene, SceneReader]]:
    """Its scenes with their exact depth."""
    dataset = open_recording(world.folder)
    return [
        (read_scene(dataset, file.stem, AccumulateConfig()), SceneReader(file))
        for file in scene_files(world.folder / "exact")
    ]


def measure(name: str, world: World, scenes: Sequence[tuple[Scene, SceneReader]]) -> Result:
    """Score a method on a world; its own processor time is counted, the scoring's not."""
    metrics, seconds, keyframes = DepthMetrics(), 0.0, 0
    for scene, exact in scenes:
        keyframes += len({camera.sample_token for camera in scene.cameras})
        start = time.process_time()
        depths = METHODS[name](scene)
        while (made := next(depths, None)) is not None:
            seconds += time.process_time() - start
            camera, depth_m = made
            truth = exact.read(camera.sample_token, camera.channel)
            metrics.update(decode_depth(encode_depth(depth_m)), truth.depth_m, kind=truth.layers["kind"])
            start = time.process_time()
    return Result(name, world, metrics.compute(), seconds / keyframes)


def warm_up(scene: Scene) -> None:
    """Compile every kernel on a few sweeps and one camera."""
    for _ in accumulate_scene(replace(scene, sweeps=scene.sweeps[:3], cameras=scene.cameras[:1]), steps.FULL):
        pass


def rows(results: Sequence[Result]) -> dict[str, dict[str, str]]:
    """Cells in words, by method and column: the mean over worlds, and the least and most."""
    out: dict[str, dict[str, str]] = {}
    for result in results:
        mine = [r.figures() for r in results if r.method == result.method]
        out[result.method] = {name: cell([f[name] for f in mine]) for name in mine[0]}
    return out


def cell(values: Sequence[float | None]) -> str:
    """Mean (least-most) of the worlds where the figure is defined."""
    known = [value for value in values if value is not None]
    if not known:
        return "-"
    digits = 1 if np.mean(known) >= 10 else 2
    spread = f" ({min(known):.{digits}f}-{max(known):.{digits}f})" if len(known) > 1 else ""
    return f"{np.mean(known):.{digits}f}{spread}"


def table(results: Sequence[Result]) -> Table:
    """For the terminal."""
    out = Table("method", *COLUMNS, SECONDS)
    for method, cells in rows(results).items():
        out.add_row(method, *cells.values(), end_section=method == "radar-camera-fusion-depth-like")
    return out


def provenance(worlds: Sequence[World], arguments: Sequence[str]) -> dict[str, str]:
    """When, from which code, and on what."""
    state = git("status", "--porcelain", "--", "densegt", "benchmarks/*.py")
    seeds = ", ".join(str(world.seed) for world in worlds)
    kinds = sorted({f"{world.seconds:g} s at {world.image_size}" for world in worlds})
    return {
        "command": shlex.join(["python", "-m", "benchmarks.accuracy.ablation", *arguments]),
        "commit": git("rev-parse", "--short", "HEAD") + (" (dirty: uncommitted changes)" if state else ""),
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "worlds": f"seeds {seeds}; {'; '.join(kinds)}",
    }


def git(*arguments: str) -> str:
    """What git says of this repository."""
    done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else "unknown"


def as_json(results: Sequence[Result], made: Mapping[str, str]) -> dict[str, Any]:
    """Everything, world by world."""
    return {
        **made,
        "definitions": DEFINITIONS,
        "results": [
            {"method": r.method, "world": str(r.world.folder), "seed": r.world.seed, **r.figures()}
            | {"summary": r.summary.as_dict()}
            for r in results
        ],
    }


def as_markdown(results: Sequence[Result], made: Mapping[str, str]) -> str:
    """The page that the docs quote."""
    headings = ("method", *COLUMNS, SECONDS)
    lines = ["| " + " | ".join(headings) + " |", "| --- |" + " ---: |" * (len(headings) - 1)]
    lines += [f"| {method} | " + " | ".join(cells.values()) + " |" for method, cells in rows(results).items()]
    notes = NOTES.format(right=DEFINITIONS["right_percent"], outlier=DEFINITIONS["outlier"])
    facts = [f"- {name}: {f'`{text}`' if name == 'command' else text}" for name, text in made.items()]
    return "\n".join(["# Ablation on simulated worlds", "", *facts, "", *lines, "", notes])


def _of(summary: Summary, kind: str) -> float | None:
    return summary.by_kind[kind].outlier_percent if kind in summary.by_kind else None


if __name__ == "__main__":
    main()
