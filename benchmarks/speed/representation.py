"""Points to soft voxels: densegt's way beside the equation taken word by word, in time and in memory.

python -m benchmarks.speed.representation

The grid is the published one, 700x800x35 voxels of 0.1 m, with 20,000 points as a spinning lidar has them. "dense"
makes T(m, n) of the equation for each of the 27 places of n as a grid of its own, then takes their weighted sum.
"scattered" adds each point to its 27 voxels in stock operations, of which autograd keeps what it needs. "densegt" does
the same with a backward of its own. Memory is what a process's peak grows by in one step forward and backward, each
method in a process of its own, and includes the result, whose size is shown too. Time is that of one processor.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from densegt.detection.bev.grid import BevGrid
from densegt.detection.points.pseudo_lidar.points import PointBatch, gathered
from densegt.detection.points.pseudo_lidar.voxel_grid import VoxelGrid
from densegt.detection.points.pseudo_lidar.voxels import NEIGHBOUR, soft

SIZES = {
    "published": (VoxelGrid(BevGrid(0.0, 70.0, -40.0, 40.0, 0.1, -2.5, 1.0), 35), 20_000),
    "small": (VoxelGrid(BevGrid(0.0, 7.0, -4.0, 4.0, 0.5, -2.5, 1.0), 7), 500),
}
SIGMA_M = 0.1
STEPS = tuple(product((-1, 0, 1), repeat=3))
OURS = "densegt"
MIB = 2**20


def cloud(grid: VoxelGrid, count: int) -> PointBatch:
    """Points inside the grid: on level ground and on things that stand on it, the denser the nearer."""
    torch.manual_seed(0)
    bev = grid.bev
    range_m = 4 + (bev.x_max_m - 4) * torch.rand(count) ** 2 * 0.95
    angle = (torch.rand(count) - 0.5) * math.pi
    height_m = torch.where(torch.rand(count) < 0.5, -1.8 + 0.05 * torch.randn(count), -1.8 + 2.5 * torch.rand(count))
    xyz = torch.stack([range_m * angle.cos(), range_m * angle.sin(), height_m], 1)
    xyz[:, 1].clamp_(bev.y_min_m + 0.01, bev.y_max_m - 0.01)
    return gathered(xyz[None])


def densegt(points: PointBatch, grid: VoxelGrid) -> Tensor:
    """Its own backward."""
    return soft(points, grid, sigma_m=SIGMA_M)


def _places(points: PointBatch, grid: VoxelGrid) -> tuple[Tensor, Tensor]:
    numbers, inside = grid.numbers(points.xyz_ref.detach())
    return numbers[inside], points.xyz_ref[inside]


def _kernel(xyz: Tensor, centre: Tensor, grid: VoxelGrid) -> Tensor:
    """exp(-|p - m|^2 / sigma^2) of points (M,3) and voxels (M,3)."""
    zyx = xyz.new_tensor(grid.corner_m) + (centre + 0.5) * xyz.new_tensor(grid.sides_m)
    return torch.exp(-((xyz - zyx.flip(-1)) ** 2).sum(-1) / SIGMA_M**2)


def _flat(numbers: Tensor, grid: VoxelGrid) -> tuple[Tensor, Tensor]:
    """Place in the grid of voxels (M,3), and which of them are in it."""
    Z, Y, X = grid.shape
    inside = ((numbers >= 0) & (numbers < numbers.new_tensor([Z, Y, X]))).all(-1)
    z, y, x = numbers.unbind(-1)
    return (z * Y + y) * X + x, inside


def dense(points: PointBatch, grid: VoxelGrid) -> Tensor:
    """T(m, n) for every m, a grid for each place of n; means are sums over counts, as the equation has them."""
    numbers, xyz = _places(points, grid)
    voxels = math.prod(grid.shape)
    own, _ = _flat(numbers, grid)
    counts = xyz.new_zeros(voxels).index_add(0, own, torch.ones_like(own, dtype=xyz.dtype)).view(grid.shape)
    parts = []
    for step in STEPS:
        # The points of n = m - step, seen from m.
        m, inside = _flat(numbers + numbers.new_tensor(step), grid)
        amount = _kernel(xyz, numbers + numbers.new_tensor(step), grid)
        sums = xyz.new_zeros(voxels).index_add(0, m[inside], amount[inside]).view(grid.shape)
        count_of_n = torch.roll(counts, step, (0, 1, 2))
        parts.append(torch.where(count_of_n > 0, sums / count_of_n.clamp(min=1), 0))
    stacked = torch.stack(parts)
    middle = STEPS.index((0, 0, 0))
    around = stacked.sum(0) - stacked[middle]
    return (stacked[middle] + NEIGHBOUR * around).unsqueeze(0)


def scattered(points: PointBatch, grid: VoxelGrid) -> Tensor:
    """Each point added to its 27 voxels, as much as its own voxel's share of it."""
    numbers, xyz = _places(points, grid)
    own, _ = _flat(numbers, grid)
    _, group, held = torch.unique(own, return_inverse=True, return_counts=True)
    out = xyz.new_zeros(math.prod(grid.shape))
    for step in STEPS:
        m, inside = _flat(numbers + numbers.new_tensor(step), grid)
        amount = _kernel(xyz, numbers + numbers.new_tensor(step), grid) / held[group]
        out = out.index_add(0, m[inside], (amount if step == (0, 0, 0) else amount * NEIGHBOUR)[inside])
    return out.view(1, *grid.shape)


METHODS: dict[str, Callable[[PointBatch, VoxelGrid], Tensor]] = {
    "dense": dense, "scattered": scattered, OURS: densegt,
}  # fmt: skip


def measure(size: str, method: str, turns: int) -> dict[str, float]:
    """Peak of the first step, then processor seconds of the others."""
    torch.set_num_threads(1)
    grid, count = SIZES[size]
    points = cloud(grid, count)
    pull = torch.randn(1, *grid.shape)
    xyz = points.xyz_ref.requires_grad_()
    before = _peak_mib()
    seconds = []
    for turn in range(turns + 1):
        xyz.grad = None
        start = time.process_time()
        laid = METHODS[method](points._replace(xyz_ref=xyz), grid)
        middle = time.process_time()
        (laid.flatten() @ pull.flatten()).backward()
        end = time.process_time()
        if turn == 0:
            peak_mib = _peak_mib() - before
        else:
            seconds.append((middle - start, end - start))
        total, slope = float(laid.detach().sum()), float(xyz.grad.abs().sum())
        del laid
    forward, both = zip(*seconds, strict=True)
    return {
        "forward_s": statistics.median(forward), "both_s": statistics.median(both), "peak_mib": peak_mib,
        "result_mib": pull.nbytes / MIB, "sum": total, "slope": slope,
    }  # fmt: skip


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    out = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("--size", choices=SIZES, default="published")
    out.add_argument("--turns", type=int, default=5)
    out.add_argument("--json", type=Path, metavar="FILE")
    out.add_argument("--method", choices=METHODS, help=argparse.SUPPRESS)
    return out


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure each method in a process of its own and print a table."""
    args = parser().parse_args(arguments)
    if args.method:
        print(json.dumps(measure(args.size, args.method, args.turns)))
        return
    found = {}
    for method in METHODS:
        command = [sys.executable, __file__, "--size", args.size, "--turns", str(args.turns), "--method", method]
        found[method] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    table = Table("method", "forward ms", "forward and backward ms", "peak MiB", "of which result", "times our memory")
    for method, row in found.items():
        share = f"{row['peak_mib'] / max(found[OURS]['peak_mib'], 1):.1f}"
        numbers = (row["forward_s"] * 1e3, row["both_s"] * 1e3, row["peak_mib"], row["result_mib"])
        table.add_row(method, *(f"{number:.0f}" for number in numbers), share)
    Console().print(table)
    if args.json:
        args.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
