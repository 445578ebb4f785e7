"""What is compared of pseudo-LiDAR: variants to train that differ in the detector, in its points, or in supervision."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from densegt.detection.data.batch import Supervision
from densegt.detection.registry import POINT_DETECTORS
from densegt.experiments.experiment_config import Design
from densegt.experiments.variant import Variant

Points = Literal["lidar", "frozen", "separate", "end-to-end"]
PlSupervision = Supervision | Literal["measured"]
ESTIMATED: tuple[Points, ...] = ("end-to-end", "separate", "frozen")
LIDAR: Points = "lidar"
# A lidar's points are what they are, whatever depth is learned from elsewhere.
MEASURED: PlSupervision = "measured"


@dataclass(frozen=True, order=True)
class PlVariant(Variant):
    """One way to train.

    Attributes:
        points: a real lidar's, or those of a depth net that is left as it is, learns from depth alone, or learns from
            depth and from the detector.
    """

    detector: str
    points: Points
    supervision: PlSupervision

    def differs_only_in(self, factor: str, other: Variant) -> bool:
        """A lidar stands beside every supervision of the same detector, and differs in its points."""
        if isinstance(other, PlVariant) and (self.points == LIDAR) != (other.points == LIDAR):
            return factor == "points" and self.detector == other.detector
        return super().differs_only_in(factor, other)


def pl_variants(
    design: Design, supervisions: tuple[Supervision, ...], detectors: tuple[str, ...] = POINT_DETECTORS
) -> list[PlVariant]:
    """All to train, each once.

    Args:
        design: `axes` varies one thing at a time from the first detector, end to end, under dense supervision, and has
            all points of every detector; `full` takes every combination.
        supervisions: that there is depth for; a depth net that learns from none could not begin.
    """
    possible = tuple(level for level in supervisions if level != "none")
    middle = PlVariant(detectors[0], "end-to-end", "dense" if "dense" in possible else possible[-1])
    variants = [replace(middle, detector=each, points=points) for each in detectors for points in ESTIMATED]
    variants += [PlVariant(each, LIDAR, MEASURED) for each in detectors]
    if design == "full":
        variants += [PlVariant(a, b, c) for a in detectors for b in ESTIMATED for c in possible]
    else:
        variants += [replace(middle, supervision=level) for level in possible]
    return sorted(dict.fromkeys(variants), key=lambda variant: (variant != middle, detectors.index(variant.detector)))
