"""Fits `densegt/completion/weights/*.calibration.json`: how far off completed pixels are, and how often right.

python -m benchmarks.fitting.completion_calibration --worlds WORLD... --held-out WORLD... [--cache DIR] [--out DIR]

Worlds must be none that a method was trained on. Of pixels that the method filled, as many of each world, its own
uncertainty is sorted into bins of equally many; what 68 % of a bin's errors are less than, and its share of right
depths, made monotone, are the knots of the maps. Where there is no surface the error is not known, and no depth is
right.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
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
# The share of a Gaussian's errors that are less than its standard deviation.
WITHIN_SIGMA = 0.6827
# Of each image, of each world and input, and of what a test keeps.
PER_IMAGE, PER_WORLD, SAMPLED = 20_000, 100_000, 2_500


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

    def few(self, count: int) -> Pixels:
        """So many of them, by chance but each time the same."""
        total = len(self.depth_m)
        return self.take(np.random.default_rng(0).choice(total, min(count, total), replace=False))


def parser() -> argparse.ArgumentParser:
    """Its options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", nargs="+", choices=["classical", "network"], default=["classical", "network"])
    parser.add_argument("--checkpoint", type=Path, metavar="FILE", help="the network's weights, if not those that ship")
    parser.add_argument("--worlds", nargs="+", type=Path, required=True, metavar="DIR")
    parser.add_argument("--held-out", nargs="*", type=Path, default=[], metavar="DIR")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every n-th image")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="where pixels are kept; empty it for other weights")
    parser.add_argument("--out", type=Path, metavar="DIR")
    parser.add_argument("--sample", type=Path, metavar="FILE", help="keep some held-out pixels for a test")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit, say how well it holds on other worlds, and write."""
    options = parser().parse_args(arguments)
    samples_of: dict[str, Pixels] = {}
    for name in options.methods:
        method = open_method(name, options.checkpoint if name == "network" else None)
        method.calibration = None  # type: ignore[attr-defined]
        found = partial(pixels_in, name, method, every=options.every, cache=options.cache)
        fitted = [found(world, which) for world in options.worlds for which in INPUTS]
        calibration = fit(joined(fitted))
        for world in [*options.worlds, *options.held_out]:
            for which in INPUTS:
                pixels, what = found(world, which), "held out" if world in options.held_out else "fitted on"
                print(f"{name}, {which}, {what} {world.name}, {len(pixels.depth_m)} pixels: own | calibrated")
                for own, row in zip(reliability(pixels), reliability(calibrated(pixels, calibration)), strict=True):
                    print(f"  {own.line()} | {row.line()}", flush=True)
        for which in INPUTS if options.held_out else ():
            samples_of[f"{name}, {which}"] = joined(found(world, which) for world in options.held_out)
        if options.out:
            write(options.out / f"{name}.calibration.json", calibration, options.worlds, options.held_out)
    if options.sample:
        write_sample(options.sample, samples_of)


def write(path: Path, calibration: Calibration, worlds: Sequence[Path], held_out: Sequence[Path]) -> None:
    """A calibration and what made it, a line for each list of numbers."""
    about = {
        "command": shlex.join(["python", "-m", "benchmarks.fitting.completion_calibration", *sys.argv[1:]]),
        "fitted_on": [world.name for world in worlds],
        "held_out": [world.name for world in held_out],
    }
    lines = [f" {json.dumps(name)}: {json.dumps(value)}" for name, value in about.items()]
    for kind, curve in calibration.as_json().items():
        parts = ",\n".join(f"  {json.dumps(name)}: {json.dumps(values)}" for name, values in curve.items())
        lines.append(f" {json.dumps(kind)}: {{\n{parts}\n }}")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def pixels_in(name: str, method: Method, world: Path, which: str, *, every: int, cache: Path | None) -> Pixels:
    """Pixels that a method fills of a world's images, from the cache where they are there."""
    kept = None if cache is None else cache / f"{name}, {which}, {world.name}, {every}.npz"
    if kept is not None and kept.is_file():
        with np.load(kept) as arrays:
            return Pixels(*(arrays[field] for field in Pixels._fields))
    images = samples(world, which, every)
    pixels = joined(pixels_of(method(sample.given), sample).few(PER_IMAGE) for sample in images).few(PER_WORLD)
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(kept, **pixels._asdict())
    return pixels


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
    arrays = {name: np.stack(mine.few(SAMPLED)).astype(np.float16) for name, mine in pixels.items()}
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
    key_m, error_m = pixels.sigma_m[known], np.abs(pixels.error_m[known])
    scale_m = [np.quantile(error_m[rows], WITHIN_SIGMA) for rows in _bins(key_m)]
    ratio = pixels.sigma_m / tolerance_m(pixels.depth_m)
    wrong = [1 - pixels.right[rows].mean() for rows in _bins(ratio)]
    # Less than the store's own step, 4 mm, is none.
    return Curve(
        _means(key_m), tuple(np.maximum(np.exp(rising(np.log(np.maximum(scale_m, 0.004)))), 0.004)),
        _means(ratio), tuple(1 - rising(np.array(wrong))),
    )  # fmt: skip


def _bins(key: Float32) -> list[NDArray[np.intp]]:
    """Rows in KNOTS bins of equally many, by the key."""
    return np.array_split(np.argsort(key, kind="stable"), KNOTS)


def _means(key: Float32) -> tuple[float, ...]:
    """Geometric means of the key in its bins."""
    return tuple(float(np.exp(np.log(np.maximum(key[rows], 1e-3)).mean())) for rows in _bins(key))


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
    """Median uncertainty said, and what 68 % of errors are less than, in m and in sigmas (1 is right); confidence
    said, and share of right depths."""

    sigma_m: float
    error_m: float
    error_sigmas: float
    confidence: float
    right: float

    def line(self) -> str:
        """For a table."""
        sigma = f"sigma said {self.sigma_m:.2f} m, found {self.error_m:.2f} m, {self.error_sigmas:.2f} sigma"
        return f"{sigma}; confidence said {self.confidence:.3f}, found {self.right:.3f}"


def reliability(pixels: Pixels) -> list[Bin]:
    """BINS bins of equally many pixels each: by uncertainty those with an error, by confidence all."""
    known = np.flatnonzero(np.isfinite(pixels.error_m))
    by_sigma = np.array_split(known[np.argsort(pixels.sigma_m[known], kind="stable")], BINS)
    by_confidence = np.array_split(np.argsort(-pixels.confidence, kind="stable"), BINS)
    size_m, sigma_m = np.abs(pixels.error_m), np.maximum(pixels.sigma_m, np.float32(1e-3))
    return [
        Bin(
            float(np.median(sigma_m[a])),
            float(np.quantile(size_m[a], WITHIN_SIGMA)),
            float(np.quantile(size_m[a] / sigma_m[a], WITHIN_SIGMA)),
            float(pixels.confidence[b].mean()),
            float(pixels.right[b].mean()),
        )
        for a, b in zip(by_sigma, by_confidence, strict=True)
    ]


if __name__ == "__main__":
    main()
