"""Boxes of people and two-wheelers by `densegt autolabel` against the exact ones of simulated worlds.

python -m benchmarks.accuracy.autolabel_people --worlds city-17 city-18
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.autolabel import ExactObject, exact_objects, keyframes_us, read_evidence
from densegt.autolabel.config import AutolabelConfig
from densegt.autolabel.evidence import SceneEvidence
from densegt.autolabel.job import knowledge
from densegt.autolabel.labels import Label
from densegt.autolabel.people import person_candidates
from densegt.autolabel.pipeline import label_evidence

NOTES = """\
People and two-wheelers that move, measured by some sweep with at least 20 points within 40 m. Right is a box whose
middle lies within 0.5 m of one's middle, seen from above, at the keyframe in the middle of the label's time.
"""
PEOPLE = ("human", "vehicle.bicycle", "vehicle.motorcycle")
RIGHT_M = 0.5

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class PersonRow:
    """A candidate's figures, how far it is from the nearest of all, and whether that one is not asked for."""

    figures: Float64
    away_m: float
    ignored: bool


def person_rows(world: Path, evidence: SceneEvidence, config: AutolabelConfig) -> list[PersonRow]:
    """Every candidate of a world before any is judged."""
    people, stamps, rows = exact_objects(world, evidence, PEOPLE), keyframes_us(evidence), []
    for candidate in person_candidates(evidence, config.least_points):
        known = np.flatnonzero(candidate.box.known_at(stamps))
        if len(known):
            k = int(known[len(known) // 2])
            nearest, away = _nearest(people, k, candidate.box.poses_at(stamps)[k][:2, 3])
            near = nearest is not None and away < 2.0 and not nearest.asked
            rows.append(PersonRow(candidate.row, away, near))
    return rows


def _nearest(people: Sequence[ExactObject], k: int, xy: Float64) -> tuple[ExactObject | None, float]:
    away = [float(np.linalg.norm(one.T_global_box[k, :2, 3] - xy)) for one in people]
    return (people[int(np.argmin(away))], min(away)) if away else (None, np.inf)


@dataclass(frozen=True)
class Score:
    """Counts of a world's people or two-wheelers."""

    asked: int
    found: int
    verified: int
    right: int
    away_m: tuple[float, ...]


def score(people: Sequence[ExactObject], labels: Sequence[Label], evidence: SceneEvidence) -> Score:
    """Verified labels of people and two-wheelers against all of them that move."""
    tokens = [*{s.sample_token: None for s in evidence.scene.sweeps if s.is_keyframe}]
    found: set[int] = set()
    verified, away_m = 0, []
    for label in labels:
        if not label.verified or not label.category.startswith(PEOPLE):
            continue
        at = len(label.sample_tokens) // 2
        one, away = _nearest(people, tokens.index(label.sample_tokens[at]), label.T_global_box[at, :2, 3])
        if one is not None and away < 2.0 and not one.asked:
            continue
        verified += 1
        if one is not None and away <= RIGHT_M:
            away_m.append(away)
            found.add(people.index(one))
    asked = [k for k, one in enumerate(people) if one.asked and one.moving]
    return Score(len(asked), len(found & set(asked)), verified, len(away_m), tuple(away_m))


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    out = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("--worlds", nargs="+", type=Path, required=True, metavar="DIR", help="of `densegt simulate`")
    return out


def main() -> None:
    """Measure worlds and print the table."""
    options, config, scores = parser().parse_args(), AutolabelConfig(), []
    for world in options.worlds:
        evidence = read_evidence(world, config)
        labels = label_evidence(evidence, knowledge(None), config)
        scores.append(score(exact_objects(world, evidence, PEOPLE), labels, evidence))
    print(NOTES)
    print(table(scores))


def table(scores: Sequence[Score]) -> str:
    """All worlds together, as Markdown."""
    asked, found, verified, right = (
        sum(getattr(s, n) for s in scores) for n in ("asked", "found", "verified", "right")
    )
    away = [a for s in scores for a in s.away_m]
    centre = f"{np.median(away):.2f}" if away else "-"
    return (
        "| asked for | found % | verified | right % | centre m |\n| ---: | ---: | ---: | ---: | ---: |\n"
        f"| {asked} | {100 * found / max(asked, 1):.0f} | {verified} "
        f"| {100 * right / max(verified, 1):.0f} | {centre} |"
    )


if __name__ == "__main__":
    main()
