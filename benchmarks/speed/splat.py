"""Laying lifted features down on the ground plane: densegt's way beside those in use, in time and in memory.

python -m benchmarks.speed.splat

Every method starts from the cell of each sample, and gives the bird's-eye view and the gradients of depth and features.
"fixed rig": what depends on the cells alone is made beforehand. "moving samples": it is made at every step, as with
samples that a network places. Times are the median and the least of turns in which the methods take part one after the
other. Memory is what a process's peak grows by in one step forward and backward, each method in a process of its own.
The floor is the time in which this machine moves every input and output once.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from benchmarks.speed.splat_methods import METHODS
from densegt.detection.bev.frustum import feature_uv, sample_cells
from densegt.detection.bev.grid import NO_CELL, BevGrid
from densegt.detection.depth_head.bins import Bins

YAWS_DEG = (0.0, 55.0, -55.0, 110.0, -110.0, 180.0)
OURS = "densegt"


@dataclass(frozen=True)
class Size:
    """A detector's numbers; the cameras are like nuScenes', of 1600 px and 1260 px focal length before they shrink."""

    height_px: int
    width_px: int
    bins: Bins
    channels: int
    grid: BevGrid
    stride: int = 16


SIZES = {
    "BEVDepth": Size(256, 704, Bins("UD", 2.0, 58.0, 112), 80, BevGrid(-51.2, 51.2, -51.2, 51.2, 0.8)),
    "LSS": Size(128, 352, Bins("UD", 4.0, 45.0, 41), 64, BevGrid(-50.0, 50.0, -50.0, 50.0, 0.5)),
    "small": Size(32, 64, Bins("UD", 2.0, 20.0, 6), 4, BevGrid(-16.0, 16.0, -16.0, 16.0, 2.0)),
}


@dataclass(frozen=True)
class Case:
    """Inputs of one step."""

    weights: Tensor
    features: Tensor
    cell: Tensor
    grid: BevGrid
    gradient: Tensor

    @property
    def floor_bytes(self) -> tuple[int, int]:
        """Forward, forward and backward: weights, features, a cell's number each sample, bird's-eye view."""
        inputs, bev = self.weights.nbytes + self.features.nbytes, self.gradient.nbytes
        numbers = 4 * self.cell.numel()
        return inputs + numbers + bev, 3 * inputs + 2 * numbers + 2 * bev


def make(size: Size) -> Case:
    """Random depth and features for six cameras around a car."""
    torch.manual_seed(0)
    rows, columns = size.height_px // size.stride, size.width_px // size.stride
    K, T_ref_cam = rig(size)
    uv = feature_uv(rows, columns, stride=size.stride)
    cell = sample_cells(size.grid, size.bins.centres_m(), uv, K, T_ref_cam)
    weights = torch.randn(1, len(YAWS_DEG), size.bins.count, rows, columns).mul(2).softmax(2)
    features = torch.randn(1, len(YAWS_DEG), size.channels, rows, columns)
    gradient = torch.randn(1, size.channels, *size.grid.shape)
    return Case(weights.requires_grad_(), features.requires_grad_(), cell, size.grid, gradient)


def rig(size: Size) -> tuple[Tensor, Tensor]:
    """K (1,6,3,3) and T_ref_cam (1,6,4,4)."""
    scale = size.width_px / 1600
    K = torch.tensor([[1260 * scale, 0, 800 * scale], [0, 1260 * scale, size.height_px / 2], [0, 0, 1]]).double()
    axes = torch.tensor([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]]).double()
    T_ref_cam = torch.eye(4).double().repeat(1, len(YAWS_DEG), 1, 1)
    for pose, yaw in zip(T_ref_cam[0], torch.tensor(YAWS_DEG).deg2rad().double(), strict=True):
        cos, sin, zero, one = yaw.cos(), yaw.sin(), yaw * 0, yaw * 0 + 1
        turn = torch.stack([cos, -sin, zero, sin, cos, zero, zero, zero, one]).view(3, 3)
        pose[:3, :3] = turn @ axes
        pose[:3, 3] = turn @ torch.tensor([1.0, 0.0, 1.5]).double()
    return K.repeat(1, len(YAWS_DEG), 1, 1), T_ref_cam


@dataclass(frozen=True)
class Figures:
    """Of one method at one size; ms are (median, least).

    Attributes:
        wrong: largest difference to the answer in float64, as a share of its largest value.
    """

    size: str
    method: str
    forward_ms: tuple[float, float]
    both_ms: tuple[float, float]
    moving_ms: tuple[float, float]
    peak_mb: float
    wrong: float


def forward(method: Any, case: Case, ready: Any) -> Tensor:
    with torch.no_grad():
        return method.splat(case.weights, case.features, ready)


def both(method: Any, case: Case, ready: Any) -> tuple[Tensor, ...]:
    bev = method.splat(case.weights, case.features, ready)
    return torch.autograd.grad(bev, (case.weights, case.features), case.gradient)


def moving(method: Any, case: Case) -> tuple[Tensor, ...]:
    return both(method, case, method.prepare(case.cell, case.grid))


def in_turns(steps: dict[Any, Callable[[], Any]], turns: int) -> dict[Any, tuple[float, float]]:
    """Median and least ms of each step; what else the machine does meets all of them."""
    found: dict[Any, list[float]] = {name: [] for name in steps}
    for turn in range(turns + 1):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            if turn:
                found[name].append(1e3 * (time.perf_counter() - start))
    return {name: (statistics.median(ms), min(ms)) for name, ms in found.items()}


def measure(name: str, turns: int, threads: int) -> list[Figures]:
    """All methods at one size."""
    case = make(SIZES[name])
    steps: dict[Any, Callable[[], Any]] = {}
    for label, method in METHODS.items():
        ready = method.prepare(case.cell, case.grid)
        steps[label, "forward"] = partial(forward, method, case, ready)
        steps[label, "both"] = partial(both, method, case, ready)
        steps[label, "moving"] = partial(moving, method, case)
    exact = answer(case)
    times = in_turns(steps, turns)
    return [
        Figures(
            name, label, times[label, "forward"], times[label, "both"], times[label, "moving"],
            peak_mb(name, label, threads), difference(steps[label, "both"](), steps[label, "forward"](), exact),
        )
        for label in METHODS
    ]  # fmt: skip


def answer(case: Case) -> tuple[Tensor, ...]:
    """Bird's-eye view and gradients, in float64, camera by camera."""
    weights, features = (t.detach().double().requires_grad_() for t in (case.weights, case.features))
    bev = torch.zeros(case.grid.cells, features.shape[2], dtype=torch.float64)
    for w, f, cell in zip(weights[0], features[0], case.cell[0], strict=True):
        inside = cell != NO_CELL
        bev = bev.index_add(0, cell[inside], (w[..., None] * f.movedim(0, -1))[inside])
    bev = bev.T.reshape(case.gradient.shape)
    return bev.detach(), *torch.autograd.grad(bev, (weights, features), case.gradient.double())


def difference(gradients: Sequence[Tensor], bev: Tensor, exact: Sequence[Tensor]) -> float:
    pairs = zip((bev, *gradients), exact, strict=True)
    return max(float((got.double() - wanted).abs().max() / wanted.abs().max()) for got, wanted in pairs)


def peak_mb(size: str, method: str, threads: int) -> float:
    """In a process of its own, which gives freed memory back at once, so that no step hides in what others left."""
    command = [sys.executable, __file__, "--peak-of", method, "--size", size, "--threads", str(threads)]
    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": str(1 << 16)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return float(done.stdout)


def grown_mb(size: str, label: str) -> float:
    """What the peak of this process grows by in a step."""
    method = METHODS[label]
    small = make(SIZES["small"])
    both(method, small, method.prepare(small.cell, small.grid))  # what is loaded at first use
    case = make(SIZES[size])
    ready = method.prepare(case.cell, case.grid)
    # Where the kernel allows, the peak begins anew; elsewhere that of loading may hide a small step's.
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    before = highest_mb()
    both(method, case, ready)
    return highest_mb() - before


def highest_mb() -> float:
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def copy_gb_per_s() -> float:
    """Bytes read and written a second by a plain copy."""
    source = torch.ones(1 << 26)
    target = torch.empty_like(source)
    _, ms = in_turns({0: partial(target.copy_, source)}, 7)[0]
    return 2 * source.nbytes / ms / 1e6


def show(console: Console, rows: list[Figures], size: Size, gb_per_s: float) -> None:
    floors_ms = [n / gb_per_s / 1e6 for n in make(size).floor_bytes]
    table = Table(title=f"{rows[0].size}; ms are median (least)")
    for column in ("method", "forward", "fixed rig, both ways", "moving samples, both ways", "peak MB", "wrong by"):
        table.add_column(column, justify="left" if column == "method" else "right")
    for row in rows:
        times = [f"{median:.1f} ({least:.1f})" for median, least in (row.forward_ms, row.both_ms, row.moving_ms)]
        table.add_row(row.method, *times, f"{row.peak_mb:.0f}", f"{row.wrong:.1e}")
    console.print(table)
    [ours] = [row for row in rows if row.method == OURS]
    for row in rows:
        if row is not ours:
            ratios = [a[0] / b[0] for a, b in ((row.both_ms, ours.both_ms), (row.moving_ms, ours.moving_ms))]
            memory = ours.peak_mb / row.peak_mb
            console.print(
                f"{OURS} against {row.method}: {ratios[0]:.1f} times as fast with a fixed rig, {ratios[1]:.1f} times "
                f"with moving samples, in {memory:.2f} of its memory"
            )
    console.print(
        f"floor {floors_ms[0]:.2f} ms forward, {floors_ms[1]:.2f} ms both ways; {OURS} takes "
        f"{ours.forward_ms[0] / floors_ms[0]:.1f} and {ours.both_ms[0] / floors_ms[1]:.1f} times that\n"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    options = parser().parse_args(arguments)
    torch.set_num_threads(options.threads)
    if options.peak_of:
        print(grown_mb(options.size[0], options.peak_of))
        return
    console = Console(width=140)
    gb_per_s = copy_gb_per_s()
    console.print(f"{options.threads} threads, copies at {gb_per_s:.1f} GB/s, torch {torch.__version__}")
    found = {name: measure(name, options.turns, options.threads) for name in options.size}
    for name, rows in found.items():
        show(console, rows, SIZES[name], gb_per_s)
    if options.json:
        rows = [asdict(row) for of_size in found.values() for row in of_size]
        options.json.write_text(json.dumps({"gb_per_s": gb_per_s, "threads": options.threads, "rows": rows}, indent=1))


def parser() -> argparse.ArgumentParser:
    known = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known.add_argument("--size", nargs="+", choices=SIZES, default=["BEVDepth", "LSS"])
    known.add_argument("--turns", type=int, default=15)
    known.add_argument("--threads", type=int, default=1)
    known.add_argument("--json", type=Path)
    known.add_argument("--peak-of", choices=METHODS, help=argparse.SUPPRESS)
    return known


if __name__ == "__main__":
    main()
