"""Draw the ten worst tiles of a depth store with exact depth, or of a real recording by leave-one-out.

python -m benchmarks.figures.worst_tiles store --dataroot world --truth world/exact --out pictures
python -m benchmarks.figures.worst_tiles leave-one-out --dataroot recording --out pictures --every 5

One picture each for wrong depth, for wrong depth within 3 pixels of a depth edge, and for pinholes; by leave-one-out
for wrong depth of sure points alone. A row of a picture is a tile: camera image, depth, truth, error (red too far, blue
too near, magenta where nothing is), and the scene, keyframe and camera it comes from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.hard_street import pinholes
from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.leave_one_out.scene import held_out_depth, held_out_keyframes, in_memory, without
from densegt.accumulation.leave_one_out.sight import Sight, Sights
from densegt.accumulation.pipeline import accumulate_scene
from densegt.accumulation.scene_input import read_scene
from densegt.configuration import load_config
from densegt.datasets import open_recording
from densegt.depth.camera_image import read_image
from densegt.depth.edges import near_edges
from densegt.depth.matching import best_match, known
from densegt.depth.store import SceneReader, scene_files
from densegt.geometry.distortion import Distortion
from densegt.report.draw import colour_depth, error_picture, no_image

TILE_PX, STEP_PX, TIMES, TILES = 96, 32, 3, 10
EDGE_PX = 3.0
MAX_DEPTH_M = 60.0
BAR_PX, GAP_PX = 18, 4

Float32 = NDArray[np.float32]
Bool = NDArray[np.bool_]
Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Comparison:
    """Depth (H,W) m and truth (H,W) m of one image, and where the image lies."""

    name: str
    image: Path | None
    distortion: Distortion | None
    depth_m: Float32
    truth_m: Float32

    def wrong(self) -> Bool:
        """Pixels (H,W) off by more than the tolerance from the best of 3x3, truth nearer than MAX_DEPTH_M."""
        asked = known(self.depth_m) & known(self.truth_m) & (self.truth_m < MAX_DEPTH_M)
        out = np.zeros(asked.shape, dtype=np.bool_)
        out[asked] = np.abs(best_match(self.depth_m, self.truth_m, asked)) > 1
        return out


class Tile(NamedTuple):
    """The upper left pixel of a tile and how many of its pixels are bad."""

    bad: int
    row: int
    column: int
    image: Comparison


Fault = Callable[[Comparison], Bool]
ALL_FAULTS: dict[str, Fault] = {
    "error": Comparison.wrong,
    "edges": lambda image: image.wrong() & near_edges(image.truth_m, radius_px=EDGE_PX),
    "pinholes": lambda image: pinholes(image.depth_m),
}


@click.group(help=__doc__, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Commands below."""


folder = click.Path(path_type=Path, exists=True, file_okay=False)


@main.command("store")
@click.argument("store", type=folder)
@click.option("--dataroot", type=folder, required=True, help="The recording that the store was made from.")
@click.option("--truth", type=folder, required=True, help="Exact depth, as `densegt simulate` writes it.")
@click.option("--out", type=click.Path(path_type=Path), required=True)
def of_store(store: Path, dataroot: Path, truth: Path, out: Path) -> None:
    """Worst tiles of STORE against exact depth."""
    draw_worst(compared_stores(store, truth, dataroot), ALL_FAULTS, out)


@main.command("leave-one-out")
@click.option("--dataroot", type=folder, required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True)
@click.option("--config", metavar="FILE", help="as for `densegt accumulate`")
@click.option("--every", default=1, show_default=True, help="only every so manyeth keyframe")
def of_recording(dataroot: Path, out: Path, config: str | None, every: int) -> None:
    """Worst tiles of a recording against its own held-out sweeps, sure points alone."""
    settings = load_config(AccumulateConfig, config, {})
    draw_worst(compared_sweeps(dataroot, settings, every), {"error": Comparison.wrong}, out)


def compared_stores(store: Path, truth: Path, dataroot: Path) -> Iterator[Comparison]:
    """Every image of a store that has exact depth."""
    for file in scene_files(store):
        exact = SceneReader(truth / file.name)
        for record in SceneReader(file):
            name = f"{file.stem} {record.sample_token} {record.channel}"
            yield Comparison(
                name,
                dataroot / record.filename if record.filename else None,
                record.distortion,
                record.depth_m,
                exact.read(record.sample_token, record.channel).depth_m,
            )


def compared_sweeps(dataroot: Path, config: AccumulateConfig, every: int) -> Iterator[Comparison]:
    """Every image of a recording, rebuilt without its own sweeps, against their sure points."""
    recording = open_recording(dataroot)
    for name in recording.scene_names:
        scene = in_memory(read_scene(recording, name, config))
        sights = Sights.of(scene, config)
        for keyframe in held_out_keyframes(scene)[::every]:
            rebuilt = accumulate_scene(without(scene, keyframe), config)
            for (camera, depth), truth in zip(rebuilt, held_out_depth(scene, keyframe, config), strict=True):
                sure = sights.of_points(truth.depth_m, camera, keyframe.sweeps) == Sight.SURE
                yield Comparison(
                    f"{name} {camera.sample_token} {camera.channel}",
                    camera.image_path,
                    camera.distortion,
                    depth.depth_m,
                    np.where(sure, truth.depth_m, np.float32(0)),
                )


def draw_worst(images: Iterable[Comparison], faults: dict[str, Fault], out: Path) -> None:
    """One picture a kind of fault, named worst-FAULT.png."""
    worst: dict[str, list[Tile]] = {name: [] for name in faults}
    for image in images:
        for name, fault in faults.items():
            worst[name] = sorted(worst[name] + tiles_of(image, fault(image)), key=lambda tile: -tile.bad)[:TILES]
    out.mkdir(parents=True, exist_ok=True)
    for name, tiles in worst.items():
        if not tiles:
            click.echo(f"{name}: none")
            continue
        path = out / f"worst-{name}.png"
        cv2.imwrite(str(path), np.vstack([draw_tile(tile) for tile in tiles])[..., ::-1])
        click.echo(f"{path}: {tiles[0].bad} to {tiles[-1].bad} bad pixels of {TILE_PX * TILE_PX} a tile")


def tiles_of(image: Comparison, bad: Bool) -> list[Tile]:
    """Tiles of an image with bad pixels, the worst first; none overlaps a worse one."""
    height, width = (min(TILE_PX, side) for side in bad.shape)
    sums = cv2.integral(bad.astype(np.uint8))
    rows = np.arange(0, bad.shape[0] - height + 1, STEP_PX)
    columns = np.arange(0, bad.shape[1] - width + 1, STEP_PX)
    count = (
        sums[np.ix_(rows + height, columns + width)]
        - sums[np.ix_(rows, columns + width)]
        - sums[np.ix_(rows + height, columns)]
        + sums[np.ix_(rows, columns)]
    )
    out: list[Tile] = []
    while len(out) < TILES and count.max() > 0:
        i, j = np.unravel_index(np.argmax(count), count.shape)
        out.append(Tile(int(count[i, j]), int(rows[i]), int(columns[j]), image))
        near = np.abs(rows - rows[i])[:, None] < height
        count[near & (np.abs(columns - columns[j]) < width)] = 0
    return out


def draw_tile(tile: Tile) -> Picture:
    """Image, depth, truth, error of a tile side by side, under its name."""
    image = tile.image
    here = (slice(tile.row, tile.row + TILE_PX), slice(tile.column, tile.column + TILE_PX))
    photo = no_image(*image.depth_m.shape)
    if image.image is not None and image.image.is_file():
        photo = read_image(image.image, image.distortion)
    depth_m, truth_m = image.depth_m[here], image.truth_m[here]
    panels = [photo[here], colour_depth(depth_m), colour_depth(truth_m), error_picture(depth_m, truth_m)]
    big = [np.repeat(np.repeat(panel, TIMES, axis=0), TIMES, axis=1) for panel in panels]
    gap = np.full((big[0].shape[0], GAP_PX, 3), 255, dtype=np.uint8)
    row = np.hstack([part for panel in big for part in (panel, gap)])
    bar = np.full((BAR_PX, row.shape[1], 3), 255, dtype=np.uint8)
    text = f"{image.name}, row {tile.row}, column {tile.column}: {tile.bad} bad"
    cv2.putText(bar, text, (2, BAR_PX - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (30, 30, 30), 1, cv2.LINE_AA)
    return np.vstack([bar, row])


if __name__ == "__main__":
    main()
