"""From a scene to its labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from densegt.autolabel.candidates import Candidate, moving_candidates, standing_candidates
from densegt.autolabel.config import AutolabelConfig
from densegt.autolabel.evidence import SceneEvidence, gather_evidence
from densegt.autolabel.labels import BoxOverTime, Label, label, without_overlaps
from densegt.autolabel.verification import Judge
from densegt.datasets.scene import Scene
from densegt.shapes.prior import ShapePrior

# A candidate that is less probable than this is no label at all, verified or not.
HOPELESS = 0.05


@dataclass(frozen=True)
class Knowledge:
    """What was learned beforehand: shapes, and which fits to believe, of what stands and of what moves."""

    prior: ShapePrior
    standing: Judge
    moving: Judge

    def probability(self, candidate: Candidate) -> float:
        """That a candidate's box overlaps a vehicle by at least a half, seen from above."""
        judge = self.standing if candidate.track is None else self.moving
        return judge.probability(candidate.agreement)


def label_scene(
    scene: Scene, knowledge: Knowledge, config: AutolabelConfig, *, progress: Callable[[], None] = lambda: None
) -> list[Label]:
    """Labels of a scene's vehicles, and of the people and two-wheelers that move in it, the likeliest first.

    Args:
        progress: called when the sweeps are read, and when everything is fitted.

    Raises:
        InputError: a sweep cannot be read, or none holds a usable return.
    """
    import torch

    # In another order on more threads, sums would end in another last bit.
    torch.set_num_threads(1)
    with threadpool_limits(limits=1, user_api="blas"):
        evidence = gather_evidence(scene, config.accumulate)
        progress()
        labels = label_evidence(evidence, knowledge, config)
        progress()
    return labels


def label_evidence(evidence: SceneEvidence, knowledge: Knowledge, config: AutolabelConfig) -> list[Label]:
    """Labels of what a scene's sweeps say."""
    found = [
        *standing_candidates(evidence, knowledge.prior, config),
        *moving_candidates(evidence, knowledge.prior, config),
    ]
    probability = np.array([knowledge.probability(candidate) for candidate in found])
    hopeful = np.flatnonzero(probability >= HOPELESS)
    boxes = [BoxOverTime.of(found[k], evidence, config.mirrors_m) for k in hopeful]
    stamps = np.array([evidence.measured.start_us + s * 1e6 for s in evidence.measured.middle_s])
    kept = without_overlaps(boxes, probability[hopeful], stamps[:: max(1, len(stamps) // 12)])
    labels = []
    for number, k in enumerate(kept):
        likely = float(probability[hopeful[k]])
        verdict = (likely, likely >= config.least_probability)
        labels.append(label(f"vehicle-{number:04d}", found[hopeful[k]], boxes[k], evidence, verdict))
    return [one for one in labels if one is not None]
