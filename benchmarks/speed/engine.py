"""PIXORs of several sizes as engines: milliseconds and megabytes in float and at eight bits, on one thread.

Weights are the first ones: neither time nor size depends on what was learned. Processor time, in turns.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import NamedTuple

import torch

from densegt.detection.bev.grid import BevGrid
from densegt.detection.points.pixor.config import PixorConfig
from densegt.detection.points.pixor.network import Pixor
from densegt.quantisation.config import QuantiseConfig, Target
from densegt.quantisation.dense_part import OUTPUTS, DensePart, PixorGraph
from densegt.quantisation.engine import FORMAT, Engine, cpu_flags, milliseconds
from densegt.quantisation.export import float_model
from densegt.quantisation.graph import read_graph
from densegt.quantisation.qdq import quantised_model, write_metadata
from densegt.quantisation.quantise import quantisation_of


class Size(NamedTuple):
    """Half of the grid's side and its cells in m, and the network."""

    half_m: float
    cell_m: float
    config: PixorConfig


def pixor(voxel_m: float, stem: int, widths: tuple[int, ...], blocks: int, channels: int, layers: int) -> PixorConfig:
    return PixorConfig(cell_m=voxel_m, layers=layers, stem=stem, widths=widths, blocks=blocks, channels=channels)


SIZES = {
    "lidar": Size(32, 0.5, pixor(0.25, 16, (24, 32, 48), 1, 32, 16)),
    "twice as wide": Size(32, 0.5, pixor(0.25, 32, (48, 64, 96), 1, 48, 16)),
    "four times as wide": Size(32, 1.0, pixor(0.25, 32, (64, 96, 128), 1, 64, 16)),
    "default": Size(50, 0.5, PixorConfig()),
}


def measured(size: Size, folder: Path, turns: int) -> dict[str, tuple[float, float]]:
    """Milliseconds and megabytes by kind of file."""
    torch.manual_seed(0)
    grid = BevGrid(-size.half_m, size.half_m, -size.half_m, size.half_m, size.cell_m, -1, 3)
    net = Pixor(size.config, grid).eval()
    shape = (1, *net.voxels.shape)
    occupancy = (torch.rand(shape) < 0.2) & (torch.rand(1, 1, *shape[2:]) < 0.1)
    frame = {"occupancy": occupancy.float()}
    model = float_model(DensePart(PixorGraph(net), lambda batch: [], OUTPUTS, {}), frame)
    graph, files, engines = read_graph(model), {}, {}
    kinds: dict[str, Target | None] = {"float": None, "cpu": "cpu", "tensorrt": "tensorrt"}
    for kind, target in kinds.items():
        file = model
        if target is not None:
            settings = QuantiseConfig(target=target, method="max-min")
            file = quantised_model(model, graph, quantisation_of(graph, [frame], settings))
        write_metadata(file, {"format": FORMAT, "format_version": 1})
        files[kind] = folder / f"{kind}.onnx"
        files[kind].write_bytes(file.SerializeToString())
        engines[kind] = Engine(files[kind])
    times = milliseconds(engines, [{"occupancy": frame["occupancy"].numpy()}], turns=turns)
    return {kind: (times[kind], files[kind].stat().st_size / 1e6) for kind in files}


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--turns", type=int, default=10)
    made.add_argument("--size", action="append", choices=SIZES, help="only this; may be repeated")
    return made


def main() -> None:
    given = parser().parse_args()
    torch.set_num_threads(1)
    print(f"flags: {', '.join(cpu_flags())}")
    print("| PIXOR | voxels | float ms | U8 ms | times | S8 ms | float MB | U8 MB | share |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name in given.size or SIZES:
        with tempfile.TemporaryDirectory() as folder:
            found = measured(SIZES[name], Path(folder), given.turns)
        (ms, mb), (ms8, mb8), (ms_s8, _) = found["float"], found["cpu"], found["tensorrt"]
        side = round(2 * SIZES[name].half_m / SIZES[name].config.cell_m)
        shape = f"{side}x{side}x{SIZES[name].config.layers}"
        print(
            f"| {name} | {shape} | {ms:.1f} | {ms8:.1f} | {ms / ms8:.1f} | {ms_s8:.0f} | {mb:.2f} | {mb8:.2f} "
            f"| {mb8 / mb:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
