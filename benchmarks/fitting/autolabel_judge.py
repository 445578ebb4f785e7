"""Which fits of `densegt autolabel` to believe: logistic regressions on simulated worlds with exact boxes.

python -m benchmarks.fitting.autolabel_judge --worlds city-1 city-2 city-3 --out densegt/autolabel/weights
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from benchmarks.accuracy.autolabel import (
    CandidateRow,
    detected_objects,
    exact_vehicles,
    judged_candidates,
    read_evidence,
)
from benchmarks.accuracy.autolabel_people import RIGHT_M, PersonRow, person_rows
from densegt.autolabel.config import AutolabelConfig
from densegt.autolabel.people import FIGURES
from densegt.autolabel.verification import NAMES, Judge, normalised

Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

RIGHT_IOU = 0.5
# Of the weights; there are few worlds, and few movers in them.
RIDGE = 0.01
# Nobody proposes movers, and beams above them are of other things at other times.
OF_MOVERS = tuple(name for name in NAMES if name not in ("score", "above"))
IMAGE = "image"


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    out = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("--worlds", nargs="+", type=Path, required=True, metavar="DIR", help="of `densegt simulate`")
    out.add_argument("--out", type=Path, required=True, help="folder of standing.json and moving.json")
    return out


def main() -> None:
    """Fit the judges and write them."""
    options = parser().parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    worlds, people = [], []
    for world in options.worlds:
        config, evidence = AutolabelConfig(), read_evidence(world, AutolabelConfig())
        vehicles = exact_vehicles(world, evidence)
        worlds.append(list(judged_candidates(evidence, vehicles, config, detected_objects(world))))
        people.append([row for row in person_rows(world, evidence, config) if not row.ignored])
    for name, moving in (("standing", False), ("moving", True)):
        for pictured in (False, True):
            parts = [_figures(rows, moving, pictured=pictured) for rows in worlds]
            names = tuple(n for n in (OF_MOVERS if moving else NAMES) if pictured or n != IMAGE)
            path = options.out / f"{name}{'_pictured' if pictured else ''}.json"
            fit_judge(*_together(parts), names).save(path)
            print(f"{path.stem}: {_held_out(parts, names, NAMES)}")
    of_people = [_figures_of_people(rows) for rows in people]
    fit_judge(*_together(of_people), FIGURES, FIGURES).save(options.out / "people.json")
    print(f"people: {_held_out(of_people, FIGURES, FIGURES)}")


def _figures(rows: list[CandidateRow], moving: bool, *, pictured: bool) -> tuple[Float64, Bool]:
    """Figures (N,K) of a world's fits, and which are right; proposals of images only where images are known."""
    kept = [row for row in rows if moving or pictured or row.figures[NAMES.index("score")] > 0]
    mine = [row for row in kept if row.moving == moving and not row.ignored]
    x = np.array([row.figures for row in mine]).reshape(-1, len(NAMES))
    return x, np.array([row.iou >= RIGHT_IOU for row in mine], dtype=np.bool_)


def _figures_of_people(rows: list[PersonRow]) -> tuple[Float64, Bool]:
    """Figures (N,K) of a world's people and two-wheelers, and which are right."""
    x = np.array([row.figures for row in rows]).reshape(-1, len(FIGURES))
    return x, np.array([row.away_m <= RIGHT_M for row in rows], dtype=np.bool_)


def _together(parts: list[tuple[Float64, Bool]]) -> tuple[Float64, Bool]:
    return np.concatenate([x for x, _ in parts]), np.concatenate([right for _, right in parts])


def _held_out(parts: list[tuple[Float64, Bool]], names: tuple[str, ...], order: tuple[str, ...]) -> str:
    """How good judges are on worlds that they were not fitted on, each world held out in turn."""
    p = []
    for k, (x, _) in enumerate(parts):
        judge = fit_judge(*_together(parts[:k] + parts[k + 1 :]), names, order)
        p += [judge.probability_of(row, order) for row in x]
    probability, right = np.array(p), _together(parts)[1]
    believed = probability >= AutolabelConfig().least_probability
    return (
        f"{len(right)} fits, {right.sum()} right; on worlds held out {100 * right[believed].mean():.0f} % of those "
        f"verified are right, {100 * believed[right].mean():.0f} % of the right ones are verified, "
        f"Brier {np.mean((probability - right) ** 2):.3f}"
    )


def fit_judge(
    x: Float64, right: NDArray[np.bool_], names: tuple[str, ...] = NAMES, order: tuple[str, ...] = NAMES
) -> Judge:
    """The regression of what is right (N,) on some of all figures (N,K), which stand in this order."""
    x = x[:, [order.index(name) for name in names]]
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
