"""What is compared: variants to train that differ in supervision, bins or sampling."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import get_args

from densegt.detection.data.batch import Supervision
from densegt.detection.depth_head.bins import Kind
from densegt.detection.depth_head.sampling import Name
from densegt.experiments.experiment_config import SUPERVISIONS, Design
from densegt.experiments.variant import Variant

FACTORS = ("supervision", "bins", "sampling")
BINS: tuple[Kind, ...] = get_args(Kind)
SAMPLINGS: tuple[Name, ...] = ("fixed", "pdf", "offset")


@dataclass(frozen=True, order=True)
class LssVariant(Variant):
    """One way to train."""

    supervision: Supervision
    bins: Kind
    sampling: Name


def lss_variants(design: Design, supervisions: tuple[Supervision, ...] = SUPERVISIONS) -> list[LssVariant]:
    """All to train, each once.

    Args:
        design: `axes` varies one thing at a time from dense supervision, uniform bins and fixed samples; `full` takes
            every combination.
        supervisions: that there is depth for.
    """
    middle = LssVariant("dense" if "dense" in supervisions else supervisions[-1], BINS[0], SAMPLINGS[0])
    if design == "full":
        every = [LssVariant(*levels) for levels in product(supervisions, BINS, SAMPLINGS)]
        return sorted(every, key=lambda variant: variant != middle)
    variants = [replace(middle, supervision=level) for level in supervisions]
    variants += [replace(middle, bins=level) for level in BINS] + [
        replace(middle, sampling=level) for level in SAMPLINGS
    ]
    return list(dict.fromkeys([middle, *variants]))
