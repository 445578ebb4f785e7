"""Depth by what a pixel shows, on simulated streets with exact depth: coverage and outliers of each kind, pinholes.

python -m benchmarks.accuracy.hard_street world-a world-b --motion auto
python -m benchmarks.accuracy.hard_street world-a --motion free --every 3 --json hard.json
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.pipeline import build_cloud
from densegt.accumulation.render.renderer import render
from densegt.accumulation.scene_input import read_scene
from densegt.accumulation.sweep_returns import stored_votes
from densegt.configuration import load_config
from densegt.datasets import open_recording
from densegt.depth.figures import QUANTITIES
from densegt.depth.kind import Kind
from densegt.depth.matching import known, surface_nearby
from densegt.depth.metrics import Sums, band_edges, image_sums
from densegt.depth.store import SceneReader, scene_files

NOTES = """\
Of pixels whose exact depth is below 60 m: coverage, the share that has a depth; outliers, the share of those whose
depth is off by more than max(0.5 m, 5 %) from the best of the 3x3 exact depths around the pixel. Solid is ground,
structure, what stands, movers and people; not glass, not leaves, wire or grass. Sky: depth where nothing is, as a
share of it. Pinholes: pixels of holes of at most 12 pixels whose rim agrees on one surface, as a share of pixels with
a depth.
"""
MAX_DEPTH_M = 60.0
PINHOLE_PX, RIM_TOLERANCE = 12, 0.05
SOLID = (Kind.GROUND, Kind.STRUCTURE, Kind.STANDING, Kind.LABELLED_MOVER, Kind.UNLABELLED_MOVER, Kind.PERSON)
KINDS = {
    "ground": Kind.GROUND,
    "structure": Kind.STRUCTURE,
    "standing": Kind.STANDING,
    "labelled dynamic objects": Kind.LABELLED_MOVER,
    "people": Kind.PERSON,
    "unlabelled dynamic objects": Kind.UNLABELLED_MOVER,
    "glass": Kind.GLASS,
    "porous": Kind.POROUS,
}

Bool = NDArray[np.bool_]


class Counts(NamedTuple):
    """Pixels counted: all of a group, those with a depth, and those wrong."""

    all: int
    known: int
    wrong: int

    @property
    def coverage_percent(self) -> float:
        """Share with a depth."""
        return 100 * self.known / max(self.all, 1)

    @property
    def outlier_percent(self) -> float:
        """Share of those with a depth that is wrong."""
        return 100 * self.wrong / max(self.known, 1)


@dataclass
class Result:
    """What one world gives.

    Attributes:
        sums: by kind, range, source and edge, of pixels whose exact depth is below MAX_DEPTH_M.
        sky, known_sky: pixels without exact depth in the 3x3 around them, and those of them with a depth.
    """

    sums: Sums | None = None
    sky: int = 0
    known_sky: int = 0
    pinholes: int = 0
    seconds: float = 0.0
    images: int = 0

    @property
    def pinhole_percent(self) -> float:
        """Pixels of pinholes for each pixel with a depth."""
        return 100 * self.pinholes / max(self.sums.predictions if self.sums else 0, 1)

    @property
    def groups(self) -> dict[str, Counts]:
        """Counts of named groups."""
        if self.sums is None:
            return {}
        # Quantity, kind, range, source, edge.
        cells = self.sums.cells[[QUANTITIES.index(name) for name in ("counted", "predicted", "outliers")]].sum(axis=3)
        solid = cells[:, SOLID].sum(axis=(1, 3))
        bands = [*band_edges(MAX_DEPTH_M)]
        out = {"solid": solid.sum(axis=1)}
        out |= {name: cells[:, kind].sum(axis=(1, 2)) for name, kind in KINDS.items()}
        out |= {f"solid, {a:g}-{b:g} m": solid[:, k] for k, (a, b) in enumerate(pairwise(bands))}
        out["within 5 px of an edge"] = cells[..., 1].sum(axis=(1, 2))
        counts = {name: Counts(*(round(x) for x in numbers.tolist())) for name, numbers in out.items()}
        return counts | {"sky": Counts(self.sky, self.known_sky, self.known_sky)}


def main(arguments: Sequence[str] | None = None) -> None:
    """Score every world; print, and write what was asked for."""
    options = parser().parse_args(arguments)
    given = {"motion": options.motion} if options.motion else {}
    config = load_config(AccumulateConfig, options.config, given)
    results = {folder.name: score_world(folder, config, options.every, options.votes) for folder in options.worlds}
    Console(width=160).print(table(results))
    if options.json:
        options.json.write_text(json.dumps({name: as_json(result) for name, result in results.items()}, indent=1))


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    out = argparse.ArgumentParser(description=__doc__ + NOTES, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("worlds", nargs="+", type=Path, metavar="DIR", help="written by `densegt simulate`")
    out.add_argument("--motion", choices=["auto", "boxes", "free", "none"])
    out.add_argument("--config", metavar="FILE", help="as for `densegt accumulate`")
    out.add_argument("--votes", type=Path, metavar="DIR", help="on what moves, one store a world: DIR/<world>/")
    out.add_argument("--every", type=int, default=1, help="only every so manyeth image")
    out.add_argument("--json", type=Path, metavar="FILE")
    return out


def score_world(folder: Path, config: AccumulateConfig, every: int, votes: Path | None = None) -> Result:
    """Accumulate the scenes of a world and score their images."""
    out = Result()
    recording = open_recording(folder)
    for file in scene_files(folder / "exact"):
        exact = SceneReader(file)
        scene = read_scene(recording, file.stem, config)
        start = time.process_time()
        said = None if votes is None else stored_votes(votes / folder.name / f"{scene.name}.h5")
        cloud = build_cloud(scene, config, votes=said)
        out.seconds += time.process_time() - start
        for camera in cloud.cameras[::every]:
            start = time.process_time()
            depth_m = render(cloud, camera, config).depth_m
            out.seconds += time.process_time() - start
            truth = exact.read(camera.sample_token, camera.channel)
            add_image(out, depth_m, truth.depth_m, truth.layers["kind"])
    return out


def add_image(out: Result, depth_m: NDArray[np.float32], truth_m: NDArray[np.float32], kind: NDArray[np.uint8]) -> None:
    """Count one image (H,W)."""
    sums = image_sums(depth_m, truth_m, kind=kind, max_depth_m=MAX_DEPTH_M)
    out.sums = sums if out.sums is None else out.sums + sums
    sky = ~surface_nearby(truth_m)
    out.sky += int(sky.sum())
    out.known_sky += int((sky & known(depth_m)).sum())
    out.pinholes += int(pinholes(depth_m).sum())
    out.images += 1


def pinholes(depth_m: NDArray[np.float32]) -> Bool:
    """Pixels (H,W) of small holes whose rim agrees on one surface: its depths differ by at most 5 %."""
    hole = ~known(depth_m)
    count, label, stats, _ = cv2.connectedComponentsWithStats(hole.astype(np.uint8), connectivity=4)
    out = np.zeros(hole.shape, dtype=np.bool_)
    for k in range(1, count):
        left, top, width, height, area = stats[k]
        if area > PINHOLE_PX:
            continue
        rows, cols = slice(max(top - 1, 0), top + height + 1), slice(max(left - 1, 0), left + width + 1)
        here = label[rows, cols] == k
        rim = (cv2.dilate(here.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0) & ~here & ~hole[rows, cols]
        depths = depth_m[rows, cols][rim]
        if len(depths) >= 4 and depths.max() <= depths.min() * (1 + RIM_TOLERANCE):
            out[rows, cols] |= here
    return out


def table(results: dict[str, Result]) -> Table:
    """Coverage and outliers, a column a world."""
    out = Table("seen", *results, "mean", title="coverage % / outliers %")
    names = list(dict.fromkeys(name for result in results.values() for name in result.groups))
    for name in names:
        counts = [result.groups[name] for result in results.values()]
        some = [c for c in counts if c.all > 0]
        if not some:
            continue
        mean = [np.mean([getattr(c, f"{what}_percent") for c in some]) for what in ("coverage", "outlier")]
        cells = [f"{c.coverage_percent:.1f} / {c.outlier_percent:.2f}" if c.all else "-" for c in counts]
        out.add_row(name, *cells, f"{mean[0]:.1f} / {mean[1]:.2f}")
    values = [result.pinhole_percent for result in results.values()]
    out.add_row("pinholes, % of known", *(f"{v:.3f}" for v in values), f"{np.mean(values):.3f}")
    seconds = [result.seconds / max(result.images, 1) for result in results.values()]
    out.add_row("s of processor time an image", *(f"{v:.2f}" for v in seconds), f"{np.mean(seconds):.2f}")
    return out


def as_json(result: Result) -> dict[str, object]:
    """Figures of one world."""
    return {
        "groups": {name: counts._asdict() for name, counts in result.groups.items()},
        "pinhole_percent": result.pinhole_percent,
        "seconds": result.seconds,
        "images": result.images,
    }


if __name__ == "__main__":
    main()
