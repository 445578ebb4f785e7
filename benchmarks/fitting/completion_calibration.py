"""Fits `densegt/completion/weights/*.calibration.json`: how far off completed pixels are, and how often right.

python -m benchmarks.fitting.completion_calibration --worlds WORLD... --held-out WORLD... [--out FOLDER]

Worlds must be none that a method was trained on. Of pixels that the method filled, its own uncertainty is sorted into
bins of equally many; a bin's root mean square error and its share of right depths, made monotone, are the knots of the
map. Where there is no surface the error is not known, and no depth is right.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.completion_inputs import Sample, samples
from densegt.completion.calibration import ACCUMULATED, KINDS, ONE_SWEEP, Calibration, Curve, kinds_of
from densegt.completion.method import CompletedDepth, Method, measured
from densegt.completion.registry import open_method
from densegt.depth.matching import best_match, tolerance_m

Float32, Float64 = NDArray[np.float32], NDArray[np.float64]
INPUTS = (ONE_SWEEP, ACCUMULATED)
KNOTS, BINS = 10, 5
SAMPLED = 4_000


class Pixels(NamedTuple):
    """Filled pixels (N,): depth, its uncertainty and confidence as the method says; error, NaN where
    no surface is; number in `KINDS`."""

    depth_m: Float32
    sigma_m: Float32
    error_m: Float32
    right: NDArray[np.bool_]
    confidence: Float32
    kind: NDArray[np.int8]

    def take(self, rows: NDArray[np.bool_ | np.intp]) -> Pixels:
        """Some of them."""
        return Pixels(*(column[rows] for column in self))


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit, say how well it holds on other worlds, and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", nargs="+", choices=["classical", "network"], default=["classical", "network"])
    parser.add_argument("--checkpoint", type=Path, metavar="FILE", help="the network's weights, if not those that ship")
    parser.add_argument("--worlds", nargs="+", type=Path, required=True, metavar="DIR")
    parser.add_argument("--held-out", nargs="*", type=Path, default=[], metavar="DIR")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every n-th image")
    parser.add_argument("--out", type=Path, metavar="FOLDER")
    parser.add_argument("--sample", type=Path, metavar="FILE", help="keep some held-out pixels for a test")
    options = parser.parse_args(arguments)
    methods = {name: open_method(name, options.checkpoint if name == "network" else None) for name in options.methods}
    for method in methods.values():
        method.calibration = None  # type: ignore[attr-defined]
    worlds = [*options.worlds, *options.held_out]
    found = {
        (world, name): collect(methods, samples(world, name, options.every)) for world in worlds for name in INPUTS
    }
    for method in methods:
        calibration = fit(joined(found[world, name][method] for world in options.worlds for name in INPUTS))
        for name in INPUTS:
            for world in worlds:
                pixels, what = found[world, name][method], "held out" if world in options.held_out else "fitted on"
                print(f"{method}, {name}, {what} {world.name}, {len(pixels.depth_m)} pixels: own, then calibrated")
                for own, row in zip(reliability(pixels), reliability(calibrated(pixels, calibration)), strict=True):
                    print(f"  {own.line()} | {row.line()}", flush=True)
        if options.out:
            about = {
                "command": shlex.join(["python", "-m", "benchmarks.fitting.completion_calibration", *sys.argv[1:]]),
                "fitted_on": [world.name for world in options.worlds],
                "held_out": [world.name for world in options.held_out],
            }
            text = json.dumps({**about, **calibration.as_json()}, indent=1)
            (options.out / f"{method}.calibration.json").write_text(text + "\n")
    if options.sample:
        kept = {
            f"{method}, {name}": joined(found[world, name][method] for world in options.held_out)
            for method in methods
            for name in INPUTS
        }
        write_sample(options.sample, kept)


def collect(methods: Mapping[str, Method], images: Iterable[Sample]) -> dict[str, Pixels]:
    """All pixels that each method fills of some images."""
    parts: dict[str, list[Pixels]] = {name: [] for name in methods}
    for sample in images:
        for name, method in methods.items():
            parts[name].append(pixels_of(method(sample.given), sample))
    return {name: joined(mine) for name, mine in parts.items()}


def joined(parts: Iterable[Pixels]) -> Pixels:
    """All of them."""
    return Pixels(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def pixels_of(done: CompletedDepth, sample: Sample) -> Pixels:
    """Those of one image."""
    filled = (done.depth_m > 0) & ~measured(sample.given.depth_m)
    truth_m = sample.truth_m[filled]
    error_m = np.where(truth_m > 0, done.depth_m[filled] - truth_m, np.float32(np.nan))
    right = np.abs(best_match(done.depth_m, sample.truth_m, filled)) <= 1
    confidence = np.zeros(len(truth_m), np.float32) if done.confidence is None else done.confidence[filled]
    kind = np.zeros(filled.shape, np.int8)
    for name, pixels in kinds_of(sample.given, filled).items():
        kind[pixels] = KINDS.index(name)
    return Pixels(done.depth_m[filled], done.uncertainty_m[filled], error_m, right, confidence, kind[filled])


def write_sample(path: Path, pixels: Mapping[str, Pixels]) -> None:
    """Some pixels of each name as half-precision numbers, in rows as `Pixels` has them."""
    rng = np.random.default_rng(0)
    few = {name: rng.choice(len(mine.depth_m), SAMPLED, replace=False) for name, mine in pixels.items()}
    arrays = {name: np.stack(mine.take(few[name])).astype(np.float16) for name, mine in pixels.items()}
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]


def read_sample(path: Path) -> dict[str, Pixels]:
    """What `write_sample` wrote."""
    with np.load(path) as arrays:
        rows = {name: arrays[name].astype(np.float32) for name in arrays.files}
    return {
        name: Pixels(*mine[:3], right=mine[3] > 0, confidence=mine[4], kind=mine[5].astype(np.int8))
        for name, mine in rows.items()
    }


def fit(pixels: Pixels) -> Calibration:
    """The monotone maps of each kind of pixels."""
    return Calibration({kind: fit_curve(pixels.take(pixels.kind == number)) for number, kind in enumerate(KINDS)})


def fit_curve(pixels: Pixels) -> Curve:
    """Of one kind of pixels."""
    known = np.isfinite(pixels.error_m)
    sigma_m, error_m = _binned(pixels.sigma_m[known], np.square(pixels.error_m[known], dtype=np.float64))
    ratio, right = _binned(pixels.sigma_m / tolerance_m(pixels.depth_m), 1.0 - pixels.right)
    return Curve(tuple(sigma_m), tuple(np.sqrt(error_m)), tuple(ratio), tuple(1 - right))


def _binned(key: Float32, value: Float64 | Float32) -> tuple[list[float], Float64]:
    """Geometric means of the key in bins of equally many, and the bins' mean values, made to rise."""
    bins = np.array_split(np.argsort(key, kind="stable"), KNOTS)
    means = [float(np.exp(np.log(np.maximum(key[rows], 1e-3)).mean())) for rows in bins]
    return means, rising(np.array([value[rows].mean() for rows in bins]))


def rising(values: Float64) -> Float64:
    """The nearest values that never fall (pool adjacent violators)."""
    pools: list[tuple[float, int]] = []
    for value in values.tolist():
        pools.append((value, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (a, n), (b, m) = pools[-2:]
            pools[-2:] = [((a * n + b * m) / (n + m), n + m)]
    return np.concatenate([np.full(count, value) for value, count in pools])


def calibrated(pixels: Pixels, calibration: Calibration) -> Pixels:
    """The same with what a calibration says of them."""
    sigma_m, confidence = pixels.sigma_m.copy(), pixels.confidence.copy()
    for number, kind in enumerate(KINDS):
        rows, curve = pixels.kind == number, calibration.curves[kind]
        sigma_m[rows] = curve.sigma_m(pixels.sigma_m[rows])
        confidence[rows] = curve.confidence(pixels.sigma_m[rows], pixels.depth_m[rows])
    return pixels._replace(sigma_m=sigma_m, confidence=confidence)


class Bin(NamedTuple):
    """Root mean squares of uncertainty said and error found, m; confidence said, and share of right depths."""

    sigma_m: float
    error_m: float
    confidence: float
    right: float

    def line(self) -> str:
        """For a table."""
        sigma = f"sigma said {self.sigma_m:.2f}, found {self.error_m:.2f} m, ratio {self.sigma_m / self.error_m:.2f}"
        return f"{sigma}; confidence said {self.confidence:.3f}, found {self.right:.3f}"


def reliability(pixels: Pixels) -> list[Bin]:
    """BINS bins of equally many pixels each: by uncertainty those with an error, by confidence all."""
    known = np.flatnonzero(np.isfinite(pixels.error_m))
    by_sigma = np.array_split(known[np.argsort(pixels.sigma_m[known], kind="stable")], BINS)
    by_confidence = np.array_split(np.argsort(-pixels.confidence, kind="stable"), BINS)
    return [
        Bin(
            float(np.sqrt(np.square(pixels.sigma_m[a], dtype=np.float64).mean())),
            float(np.sqrt(np.square(pixels.error_m[a], dtype=np.float64).mean())),
            float(pixels.confidence[b].mean()),
            float(pixels.right[b].mean()),
        )
        for a, b in zip(by_sigma, by_confidence, strict=True)
    ]


if __name__ == "__main__":
    main()
