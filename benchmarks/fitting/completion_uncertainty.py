"""Fits what `densegt.completion.classical.UNCERTAINTY` holds, on simulated worlds with exact depth.

python -m benchmarks.fitting.completion_uncertainty --worlds WORLD... [--held-out WORLD]

For each code of `Source` the weights of `expected_error` are those under which Gaussian errors are likeliest, over one
sweep and accumulated depth together. So the mean of (error / uncertainty)^2 is 1 over the pixels of the fit, gross
errors included: most errors are far smaller than their uncertainty.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from benchmarks.accuracy.completion_inputs import samples
from densegt.completion.classical import Classical
from densegt.depth.depth_map import Source
from densegt.depth.sparsification import sparsification
from densegt.kernels.expected_error import expected_error

Float64 = NDArray[np.float64]
CAUSES = ("depth", "distance", "outline", "dispute", "farthest")
# A measured pixel has no distance, no dispute and nothing behind.
CAUSES_OF = {source: (0, 1, 2, 3, 4) if source == Source.COMPLETED else (0, 2) for source in Source if source}
PIXELS_PER_IMAGE = 8000
MAX_DEPTH_M = 60.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit and print; then say how well it holds on other worlds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", nargs="+", type=Path, required=True, metavar="DIR")
    parser.add_argument("--held-out", nargs="*", type=Path, default=[], metavar="DIR")
    parser.add_argument("--every", type=int, default=3, metavar="N", help="only every n-th image")
    options = parser.parse_args(arguments)
    inputs = ("one sweep", "accumulated")
    pixels = {name: collect(options.worlds, name, options.every) for name in inputs}
    weights = fit(np.concatenate(list(pixels.values()), axis=1))
    for source in Source:
        print(f"{source.name.lower():12s}", ", ".join(f"{w:.4f}" for w in weights[source]))
    report("fitted on", weights, pixels)
    if options.held_out:
        report("held out", weights, {name: collect(options.held_out, name, options.every) for name in inputs})


def collect(worlds: Iterable[Path], name: str, every: int) -> Float64:
    """Rows: error, source, then the causes in metres; a column for each pixel drawn."""
    rng, method, columns = np.random.default_rng(0), Classical(), []
    for world in worlds:
        for sample in samples(world, name, every):
            done = method(sample.given)
            chosen = np.flatnonzero((sample.truth_m > 0) & (sample.truth_m < MAX_DEPTH_M) & (done.depth_m > 0))
            chosen = rng.choice(chosen, min(PIXELS_PER_IMAGE, len(chosen)), replace=False)
            error = (done.depth_m - sample.truth_m).ravel()[chosen]
            source = np.where(sample.given.depth_m > 0, sample.given.source, Source.COMPLETED).ravel()[chosen]
            columns.append(np.vstack([error, source, causes_of(method, sample.given)[:, chosen]]))
    return np.concatenate(columns, axis=1).astype(np.float64)


def causes_of(method: Classical, given) -> NDArray[np.float32]:
    """(causes, H W) m: `expected_error` with the weight of one cause alone."""
    causes, out = method.fill(given), []
    for cause in range(len(CAUSES)):
        one = np.zeros((len(Source), len(CAUSES)), np.float32)
        one[:, cause] = 1
        layer = np.empty_like(given.depth_m)
        expected_error(
            causes.inverse, causes.departure, causes.spread, causes.farthest, causes.reach_px, given.source, one, layer
        )
        out.append(layer.ravel())
    return np.stack(out)


def fit(pixels: Float64) -> Float64:
    """(sources, causes) weights."""
    weights = np.zeros((len(Source), len(CAUSES)))
    for source, used in CAUSES_OF.items():
        mine = pixels[1] == source
        weights[source, list(used)] = likeliest(pixels[0, mine], pixels[2:][list(used)][:, mine])
    return weights


def likeliest(error: Float64, causes: Float64) -> Float64:
    """Weights under which errors (N,) are likeliest, if Gaussian with the variance of the weighted causes (C,N)."""

    def loss(logs: Float64) -> tuple[float, Float64]:
        parts = np.exp(2 * logs)[:, None] * causes**2
        variance = parts.sum(axis=0) + 1e-6
        slope = (1 - error**2 / variance) / variance
        return float((error**2 / variance + np.log(variance)).mean()), 2 * (slope * parts).mean(axis=1)

    starts = (np.full(len(causes), start) for start in (-3.0, -1.0))
    found = [minimize(loss, s, jac=True, method="L-BFGS-B", bounds=[(-12, 3)] * len(causes)) for s in starts]
    best = np.exp(min(found, key=lambda result: result.fun).x)
    return np.where(best < 1e-4, 0, best)


def report(what: str, weights: Float64, by_input: dict[str, Float64]) -> None:
    """Calibration and sparsification."""
    for name, pixels in by_input.items():
        variance = (weights[pixels[1].astype(int)].T ** 2 * pixels[2:] ** 2).sum(axis=0)
        sigma = np.sqrt(variance + 1e-6)
        curve = sparsification(pixels[0], -sigma)
        kept = ", ".join(f"{100 * curve.rmse_m[i] / curve.rmse_m[0]:.0f} %" for i in (2, 4, 10))
        within = 100 * (np.abs(pixels[0]) < sigma).mean()
        ratio = np.mean((pixels[0] / sigma) ** 2)
        print(
            f"{what}, {name}: mean (error/sigma)^2 {ratio:.2f}, within sigma {within:.1f} %, "
            f"AUSE {curve.ause:.3f}, RMSE of the surest 90, 80, 50 %: {kept} of all"
        )


if __name__ == "__main__":
    main()
