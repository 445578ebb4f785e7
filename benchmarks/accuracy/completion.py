"""Completion against simpler methods and exact depth, by input, at outlines, by kind and distance; and its speed.

python -m benchmarks.accuracy.completion --seeds 901 902 903 --seconds 4 --cache /tmp/worlds --markdown completion.md
python -m benchmarks.accuracy.completion --worlds world-a world-b --every 7
"""

from __future__ import annotations

import os

if __name__ == "__main__":
    # One core, so that speeds can be compared; read when numpy and numba start.
    os.environ.update(NUMBA_NUM_THREADS="1", OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", OPENCV_FOR_THREADS_NUM="1")

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.accuracy import ablation, fillers
from benchmarks.accuracy.completion_inputs import NAMES, Sample, samples
from densegt.completion.method import CompletedDepth, Method, SparseDepth
from densegt.completion.registry import open_method
from densegt.depth.edges import near_edges
from densegt.depth.kind import Kind
from densegt.depth.matching import best_match
from densegt.depth.sparsification import Sparsification, sparsification

MAX_DEPTH_M = 60.0
SPEED_SIZE = (1216, 352)
DISTANCES_PX = (0, 1, 3, 6, 12, 25, 50, 10000)
REFERENCE = "IP-Basic, bilateral"
CLASSICAL = "densegt classical"
NETWORK = "densegt network"

FILLERS: Mapping[str, Callable[[SparseDepth], NDArray[np.float32]]] = {
    "nearest neighbour": fillers.nearest_neighbour,
    "straight lines": fillers.straight_lines,
    "IP-Basic, Gaussian": fillers.ip_basic_gaussian,
    REFERENCE: fillers.ip_basic_bilateral,
    "IP-Basic, measured kept": fillers.ip_basic_measured_kept,
}

NOTES = """\
Errors are over pixels whose exact depth is below 60 m and which every method answers, so that they can be compared;
an outlier is farther than max(0.5 m, 5 %) from every exact depth in the 3x3 pixels around it. Outlines are within 5 px
of a jump in exact depth. Answered is the share of such pixels with a depth at all, sky the share of pixels without any
surface that have one all the same. Distances are to the nearest measured pixel. AUSE is the area between the
sparsification curves of the uncertainty and of an oracle, divided by the RMSE; the columns beside it are what is left
when only the surest pixels are kept. 1, 4 and 16 beams are those of the simulated lidar's 32; 64 beams are drawn over
the exact depth, with 2 cm of noise and gaps along them.

Images a second are of processor time on one core at {width}x{height}, from arrays to arrays, uncertainty included for
densegt, over one input each of one sweep and accumulated depth scaled to that size.
"""


class Pooled:
    """Errors over pixels of many images, by group."""

    def __init__(self) -> None:
        self._sums: dict[str, NDArray[np.float64]] = {}

    def add(self, group: str, error: NDArray[np.float64], outlier: NDArray[np.bool_]) -> None:
        """Pixels (N,) of a group."""
        sums = [len(error), np.abs(error).sum(), np.square(error).sum(), outlier.sum()]
        self._sums[group] = self._sums.get(group, np.zeros(4)) + np.array(sums, float)

    def figures(self) -> dict[str, dict[str, float]]:
        """Pixels, MAE, RMSE, outliers of every group that has pixels."""
        return {
            group: {"pixels": n, "mae_m": a / n, "rmse_m": (s / n) ** 0.5, "outlier_percent": 100 * o / n}
            for group, (n, a, s, o) in self._sums.items()
            if n
        }


def main(arguments: Sequence[str] | None = None) -> None:
    """Score all methods on all inputs of all worlds; print, and write what was asked for."""
    options = parser().parse_args(arguments)
    methods = methods_of(options.checkpoint)
    if options.seeds:
        options.worlds = [ablation.simulated(options.cache, seed, options.seconds) for seed in options.seeds]
    results = []
    for world in options.worlds:
        for name in options.inputs:
            results.append({"world": world.name, "input": name, **score(samples(world, name, options.every), methods)})
            print(f"{world.name}: {name}: done", file=sys.stderr)
    speeds = speed(options.worlds[0], methods) if options.speed else {}
    made = ablation.provenance([ablation.describe(w) for w in options.worlds], arguments or sys.argv[1:])
    made["command"] = made["command"].replace("ablation.py", "completion.py")
    tables = list(tables_of(results, speeds))
    for table in tables:
        Console(width=170).print(as_rich(*table))
    if options.json:
        options.json.write_text(json.dumps({**made, "speed": speeds, "results": results}, indent=1) + "\n")
    if options.markdown:
        options.markdown.write_text(as_markdown(tables, made))


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    out = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    which = out.add_mutually_exclusive_group(required=True)
    which.add_argument("--worlds", nargs="+", type=Path, metavar="DIR", help="folders written by `densegt simulate`")
    which.add_argument("--seeds", nargs="+", type=int, metavar="K", help="simulate these worlds, unless in --cache")
    out.add_argument("--seconds", type=float, default=4.0, help="length of a simulated world")
    out.add_argument("--cache", type=Path, default=Path("worlds"), help="where simulated worlds are kept")
    out.add_argument(
        "--every", type=int, default=1, metavar="N",
        help="only every n-th image; a multiple of six would show one of six cameras again and again",
    )  # fmt: skip
    out.add_argument("--inputs", nargs="+", choices=NAMES, default=list(NAMES), metavar="NAME")
    out.add_argument(
        "--checkpoint", type=Path, metavar="FILE", help="the network's weights, other than those that ship"
    )
    out.add_argument("--no-speed", dest="speed", action="store_false", help="do not time")
    out.add_argument("--json", type=Path, metavar="FILE")
    out.add_argument("--markdown", type=Path, metavar="FILE")
    return out


def methods_of(checkpoint: Path | None) -> dict[str, Method]:
    """All that are compared; what gives no uncertainty is unsure of nothing."""

    def filling(fill: Callable[[SparseDepth], NDArray[np.float32]]) -> Method:
        return lambda given: _certain(fill(given))

    fillers_ = {name: filling(fill) for name, fill in FILLERS.items()}
    return {**fillers_, CLASSICAL: open_method("classical"), NETWORK: open_method("network", checkpoint)}


def _certain(depth_m: NDArray[np.float32]) -> CompletedDepth:
    return CompletedDepth(depth_m, np.zeros_like(depth_m))


class Sureness:
    """Errors of a method with what it says of them, over many images."""

    def __init__(self) -> None:
        self._errors: list[NDArray[np.float32]] = []
        self._sigmas: list[NDArray[np.float32]] = []
        self._wrong: list[NDArray[np.bool_]] = []

    def add(self, done: CompletedDepth, truth_m: NDArray[np.float32], counted: NDArray[np.bool_]) -> None:
        """Pixels (H,W) of one image that count and are answered."""
        mine = counted & (done.depth_m > 0)
        self._errors.append((done.depth_m - truth_m)[mine])
        self._sigmas.append(done.uncertainty_m[mine])
        self._wrong.append(np.abs(best_match(done.depth_m, truth_m, mine)) > 1)

    def figures(self) -> dict[str, float]:
        """See `as_figures`, and the share of errors less than their uncertainty."""
        errors, sigmas, wrong = (np.concatenate(p) for p in (self._errors, self._sigmas, self._wrong))
        out = as_figures(sparsification(errors, -sigmas, wrong))
        return {**out, "within_sigma_percent": float(100 * (np.abs(errors) < sigmas).mean())}


def score(images, methods: Mapping[str, Method]) -> dict[str, Any]:
    """Figures of every method over images, and how well densegt's uncertainties know its errors."""
    pooled = {name: Pooled() for name in methods}
    answered = {name: np.zeros(4) for name in methods}
    sureness = {name: Sureness() for name in (CLASSICAL, NETWORK)}
    for sample in images:
        done = {name: method(sample.given) for name, method in methods.items()}
        counted = (sample.truth_m > 0) & (sample.truth_m < MAX_DEPTH_M)
        sky = sample.truth_m == 0
        common = counted & np.all([one.depth_m > 0 for one in done.values()], axis=0)
        groups = groups_of(sample, common)
        for name, one in done.items():
            has = one.depth_m > 0
            answered[name] += [(counted & has).sum(), counted.sum(), (sky & has).sum(), sky.sum()]
            error = (one.depth_m - sample.truth_m).astype(np.float64)
            outlier = np.zeros(has.shape, bool)
            outlier[common] = np.abs(best_match(one.depth_m, sample.truth_m, common)) > 1
            for group, pixels in groups.items():
                pooled[name].add(group, error[pixels], outlier[pixels])
        for name, known in sureness.items():
            known.add(done[name], sample.truth_m, counted)
    scored = {
        name: {
            "groups": pooled[name].figures(),
            "answered_percent": 100 * a / max(b, 1),
            "sky_percent": 100 * c / max(d, 1),
        }
        for name, (a, b, c, d) in answered.items()
    }
    return {"methods": scored, "uncertainty": {name: known.figures() for name, known in sureness.items()}}


def groups_of(sample: Sample, common: NDArray[np.bool_]) -> dict[str, NDArray[np.bool_]]:
    """Pixels (H,W) by name."""
    known = sample.given.depth_m > 0
    distance = cv2.distanceTransform((~known).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    groups = {"all": common, "outlines": common & near_edges(sample.truth_m), "not measured": common & ~known}
    for kind in Kind:
        groups[kind.name.lower().replace("_", " ")] = common & (sample.kind == kind)
    for name, (low, high) in distances().items():
        groups[name] = common & (distance > low) & (distance <= high)
    return groups


def as_figures(curve: Sparsification) -> dict[str, float]:
    """The area, and what remains of the error when the least sure are dropped."""
    out = {"ause": curve.ause, "rmse_m": float(curve.rmse_m[0]), "outlier_percent": float(curve.outlier_percent[0])}
    for percent in (90, 80, 50):
        at = int(np.abs(curve.shares - percent / 100).argmin())
        out[f"rmse_of_{percent}_percent"] = float(curve.rmse_m[at] / curve.rmse_m[0])
        out[f"outlier_percent_of_{percent}"] = float(curve.outlier_percent[at])
    return out


def speed(world: Path, methods: Mapping[str, Method]) -> dict[str, dict[str, float]]:
    """Images a second of processor time, by input and method; the best of several."""
    out: dict[str, dict[str, float]] = {}
    for name in ("one sweep", "accumulated"):
        given = scaled(next(iter(samples(world, name, every=1))).given, SPEED_SIZE)
        out[name] = {method: 1 / best_seconds(run, given) for method, run in methods.items()}
    return out


def scaled(given: SparseDepth, size: tuple[int, int]) -> SparseDepth:
    """To another size; depth takes the nearest pixel."""
    image = cv2.resize(given.image, size, interpolation=cv2.INTER_AREA)
    layers = (cv2.resize(layer, size, interpolation=cv2.INTER_NEAREST) for layer in (given.depth_m, given.source))
    return SparseDepth(np.ascontiguousarray(image, np.uint8), *layers, given.K)


def best_seconds(run: Callable[[SparseDepth], Any], given: SparseDepth) -> float:
    """Of up to 40 runs within two seconds."""
    run(given)
    seconds: list[float] = []
    while len(seconds) < 40 and (sum(seconds) < 2 or len(seconds) < 2):
        start = time.process_time()
        run(given)
        seconds.append(time.process_time() - start)
    return min(seconds)


def tables_of(results: Sequence[Mapping[str, Any]], speeds: Mapping[str, Mapping[str, float]]):
    """(title, headings, rows) of every table."""
    inputs = list(dict.fromkeys(r["input"] for r in results))
    errors = ("MAE m", "RMSE m", "outlier %")
    columns = (*errors, *(f"outlines: {name}" for name in errors), "answered %", "sky %", "images/s")
    for name in inputs:
        mine = [r["methods"] for r in results if r["input"] == name]
        rows = []
        for method in mine[0]:
            groups = [m[method]["groups"] for m in mine]
            cells: list[str] = []
            for group in ("all", "outlines"):
                cells += [
                    ablation.cell([g[group][key] if group in g else None for g in groups])
                    for key in ("mae_m", "rmse_m", "outlier_percent")
                ]
            cells += [ablation.cell([m[method][key] for m in mine]) for key in ("answered_percent", "sky_percent")]
            fast = speeds.get(name, {}).get(method)
            rows.append((method, *cells, "-" if fast is None else f"{fast:.1f}" if fast < 10 else f"{fast:.0f}"))
        yield f"Input: {name}", ("method", *columns), rows
    for what, groups in (("kind", kinds()), ("distance to the nearest measured pixel", distances())):
        rows = []
        for name in inputs:
            mine = [r["methods"] for r in results if r["input"] == name]
            for method in (REFERENCE, CLASSICAL, NETWORK):
                figures = [[m[method]["groups"].get(g, {}).get("mae_m") for m in mine] for g in groups]
                rows.append((f"{name}, {method}", *(ablation.cell(f) for f in figures)))
        yield f"MAE in m by {what}", ("input and method", *groups), rows
    keys = {
        "AUSE": "ause", "within 1 sigma %": "within_sigma_percent",
        "RMSE of the surest 90 %, of all's": "rmse_of_90_percent", "80 %": "rmse_of_80_percent",
        "50 %": "rmse_of_50_percent", "outlier %, all": "outlier_percent", "90 %": "outlier_percent_of_90",
        "outlier %, 50 %": "outlier_percent_of_50",
    }  # fmt: skip
    rows = []
    for name in inputs:
        mine = [r["uncertainty"] for r in results if r["input"] == name]
        for method in mine[0]:
            rows.append((f"{name}, {method}", *(ablation.cell([m[method][k] for m in mine]) for k in keys.values())))
    yield "densegt's uncertainty against its error, over all it answers", ("input and method", *keys), rows


def kinds() -> list[str]:
    """Groups by kind."""
    return [kind.name.lower().replace("_", " ") for kind in Kind if kind]


def distances() -> dict[str, tuple[int, int]]:
    """Groups by distance in pixels: more than the first, at most the second."""
    last = DISTANCES_PX[-1]
    return {f"> {a} px" if b == last else f"{a}-{b} px": (a, b) for a, b in pairwise(DISTANCES_PX)}


def as_rich(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """For the terminal."""
    out = Table(*headings, title=title)
    for row in rows:
        out.add_row(*row)
    return out


def as_markdown(tables, made: Mapping[str, str]) -> str:
    """The page that the docs quote."""
    facts = [f"- {name}: {f'`{text}`' if name == 'command' else text}" for name, text in made.items()]
    lines = ["# Completion on simulated worlds", "", *facts, ""]
    for title, headings, rows in tables:
        lines += [f"## {title}", "", "| " + " | ".join(headings) + " |", "| --- |" + " ---: |" * (len(headings) - 1)]
        lines += ["| " + " | ".join(row) + " |" for row in rows] + [""]
    return "\n".join([*lines, NOTES.format(width=SPEED_SIZE[0], height=SPEED_SIZE[1])])


if __name__ == "__main__":
    main()
