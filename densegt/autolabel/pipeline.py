"""From a scene to its labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from threadpoolctl import threadpool_limits

from densegt.autolabel.boxes_2d import ImageObjects
from densegt.autolabel.candidates import Candidate, moving_candidates, standing_candidates
from densegt.autolabel.config import AutolabelConfig
from densegt.autolabel.evidence import SceneEvidence, gather_evidence
from densegt.autolabel.image_support import image_support
from densegt.autolabel.labels import BoxOverTime, Found, Label, label, vehicle, without_overlaps
from densegt.autolabel.people import FIGURES, person_candidates
from densegt.autolabel.verification import Judge
from densegt.datasets.scene import Scene
from densegt.shapes.prior import ShapePrior

# A candidate that is less probable than this is no label at all, verified or not.
HOPELESS = 0.05


@dataclass(frozen=True)
class Knowledge:
    """What was learned beforehand: shapes, and which fits to believe, of what stands and of what moves.

    Attributes:
        standing_pictured, moving_pictured: where objects in images are known too.
    """

    prior: ShapePrior
    standing: Judge
    moving: Judge
    standing_pictured: Judge
    moving_pictured: Judge
    people: Judge

    def probability(self, candidate: Candidate, *, pictured: bool) -> float:
        """That a candidate's box overlaps a vehicle by at least a half, seen from above."""
        if candidate.track is None:
            judge = self.standing_pictured if pictured else self.standing
        else:
            judge = self.moving_pictured if pictured else self.moving
        return judge.probability(candidate.agreement)


def label_scene(
    scene: Scene,
    knowledge: Knowledge,
    config: AutolabelConfig,
    objects: ImageObjects | None = None,
    *,
    progress: Callable[[], None] = lambda: None,
) -> list[Label]:
    """Labels of a scene's vehicles, and of the people and two-wheelers that move in it, the likeliest first.

    Args:
        objects: in images, where they are known.
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
        labels = label_evidence(evidence, knowledge, config, objects)
        progress()
    return labels


def candidates(
    evidence: SceneEvidence, prior: ShapePrior, config: AutolabelConfig, objects: ImageObjects | None = None
) -> Iterator[Candidate]:
    """Fits of everything that may be a vehicle, standing and moving, with all that speaks for them."""
    for candidate in (
        *standing_candidates(evidence, prior, config, objects),
        *moving_candidates(evidence, prior, config),
    ):
        if objects is None:
            yield candidate
        else:
            box = BoxOverTime.of(candidate, evidence, config.mirrors_m)
            seen = replace(candidate.agreement, image=image_support(box, evidence, objects))
            yield replace(candidate, agreement=seen)


def label_evidence(
    evidence: SceneEvidence, knowledge: Knowledge, config: AutolabelConfig, objects: ImageObjects | None = None
) -> list[Label]:
    """Labels of what a scene's sweeps, and 2D boxes in its images, say."""
    fits = list(candidates(evidence, knowledge.prior, config, objects))
    found = []
    for fit in fits:
        box = BoxOverTime.of(fit, evidence, config.mirrors_m)
        found.append(vehicle(fit, box, knowledge.probability(fit, pictured=objects is not None)))
    for person in person_candidates(evidence, config.least_points):
        found.append(Found(person.box, person.category, knowledge.people.probability_of(person.row, FIGURES)))
    found = [one for one in found if one.probability >= HOPELESS]
    stamps = np.array([evidence.measured.start_us + s * 1e6 for s in evidence.measured.middle_s])
    probability = np.array([one.probability for one in found])
    kept = without_overlaps([one.box for one in found], probability, stamps[:: max(1, len(stamps) // 12)])
    labels = []
    for number, k in enumerate(kept):
        sure = found[k].probability >= config.least_probability
        labels.append(label(f"object-{number:04d}", found[k], evidence, verified=sure))
    return [one for one in labels if one is not None]
