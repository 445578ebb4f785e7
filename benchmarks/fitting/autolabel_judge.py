"""Which fits of `densegt autolabel` to believe: logistic regressions on simulated worlds with exact boxes.

python -m benchmarks.fitting.autolabel_judge --worlds city-1 city-2 city-3 --out densegt/autolabel/weights
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from benchmarks.accuracy.autolabel import found_candidates
from densegt.autolabel.verification import NAMES, Judge, normalised

Float64 = NDArray[np.float64]

RIGHT_IOU = 0.5
# Of the weights; there are few worlds, and few movers in them.
RIDGE = 0.01
OF_MOVERS = ("on", "beside", "residual_m", "sides", "length")


def main() -> None:
    """Fit both judges and write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", nargs="+", type=Path, required=True, metavar="DIR")
    parser.add_argument("--out", type=Path, required=True, help="folder of standing.json and moving.json")
    options = parser.parse_args()
    rows = [row for world in options.worlds for row in found_candidates(world)]
    for name, moving in (("standing", False), ("moving", True)):
        mine = [row for row in rows if row.moving == moving and not row.ignored]
        x, right = np.stack([row.figures for row in mine]), np.array([row.iou >= RIGHT_IOU for row in mine])
        judge = fit_judge(x, right, OF_MOVERS if moving else NAMES)
        judge.save(options.out / f"{name}.json")
        p = np.array([judge.probability_of(row.figures) for row in mine])
        print(f"{name}: {len(mine)} fits, {right.sum()} right; Brier {np.mean((p - right) ** 2):.3f}")


def fit_judge(x: Float64, right: NDArray[np.bool_], names: tuple[str, ...] = NAMES) -> Judge:
    """The regression of what is right (N,) on some of all figures (N,K)."""
    x = x[:, [NAMES.index(name) for name in names]]
    mean, deviation = x.mean(axis=0), x.std(axis=0) + 1e-6
    features = normalised(x, mean, deviation)
    sign = np.where(right, 1.0, -1.0)

    def loss(theta: Float64) -> tuple[float, Float64]:
        margin = sign * (features @ theta[:-1] + theta[-1])
        pull = -sign / (1 + np.exp(np.clip(margin, -500, 500))) / len(x)
        value = np.logaddexp(0, -margin).mean() + RIDGE * (theta[:-1] ** 2).sum() / 2
        return float(value), np.append(features.T @ pull + RIDGE * theta[:-1], pull.sum())

    theta = minimize(loss, np.zeros(features.shape[1] + 1), jac=True, method="L-BFGS-B").x
    return Judge(names, mean, deviation, theta[:-1], float(theta[-1]))


if __name__ == "__main__":
    main()
