"""Which fits of `densegt autolabel` to believe: logistic regressions on simulated worlds with exact boxes.

python -m benchmarks.fitting.autolabel_judge --worlds city-1 city-2 city-3 --out densegt/autolabel/weights
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from benchmarks.accuracy.autolabel import CandidateRow, found_candidates
from densegt.autolabel.config import AutolabelConfig
from densegt.autolabel.verification import NAMES, Judge, normalised

Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

RIGHT_IOU = 0.5
# Of the weights; there are few worlds, and few movers in them.
RIDGE = 0.01
# Nobody proposes movers, and beams above them are of other things at other times.
OF_MOVERS = tuple(name for name in NAMES if name not in ("score", "above"))


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    out = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("--worlds", nargs="+", type=Path, required=True, metavar="DIR", help="of `densegt simulate`")
    out.add_argument("--out", type=Path, required=True, help="folder of standing.json and moving.json")
    return out


def main() -> None:
    """Fit both judges and write them."""
    options = parser().parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    worlds = [list(found_candidates(world)) for world in options.worlds]
    for name, moving in (("standing", False), ("moving", True)):
        names = OF_MOVERS if moving else NAMES
        parts = [_figures(rows, moving) for rows in worlds]
        judge = fit_judge(*_together(parts), names)
        judge.save(options.out / f"{name}.json")
        print(f"{name}: {_held_out(parts, names)}")


def _figures(rows: list[CandidateRow], moving: bool) -> tuple[Float64, Bool]:
    """Figures (N,K) of a world's fits, and which are right."""
    mine = [row for row in rows if row.moving == moving and not row.ignored]
    x = np.array([row.figures for row in mine]).reshape(-1, len(NAMES))
    return x, np.array([row.iou >= RIGHT_IOU for row in mine], dtype=np.bool_)


def _together(parts: list[tuple[Float64, Bool]]) -> tuple[Float64, Bool]:
    return np.concatenate([x for x, _ in parts]), np.concatenate([right for _, right in parts])


def _held_out(parts: list[tuple[Float64, Bool]], names: tuple[str, ...]) -> str:
    """How good judges are on worlds that they were not fitted on, each world held out in turn."""
    p = []
    for k, (x, _) in enumerate(parts):
        judge = fit_judge(*_together(parts[:k] + parts[k + 1 :]), names)
        p += [judge.probability_of(row) for row in x]
    probability, right = np.array(p), _together(parts)[1]
    believed = probability >= AutolabelConfig().least_probability
    return (
        f"{len(right)} fits, {right.sum()} right; on worlds held out {100 * right[believed].mean():.0f} % of those "
        f"verified are right, {100 * believed[right].mean():.0f} % of the right ones are verified, "
        f"Brier {np.mean((probability - right) ** 2):.3f}"
    )


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
