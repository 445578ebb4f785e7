"""What is compared of pseudo-LiDAR: ways to train that differ in the detector, in its points, or in supervision."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from densegt.detection.data.dataset import Supervision
from densegt.experiments.lss_variants import Design
from densegt.experiments.variant import Variant

Detector = Literal["pixor", "pointrcnn"]
Points = Literal["lidar", "frozen", "separate", "end-to-end"]
Told = Supervision | Literal["measured"]
DETECTORS: tuple[Detector, ...] = ("pixor", "pointrcnn")
ESTIMATED: tuple[Points, ...] = ("end-to-end", "separate", "frozen")
LIDAR: Points = "lidar"
# A lidar's points are what they are, whatever depth is learned from elsewhere.
MEASURED: Told = "measured"


@dataclass(frozen=True, order=True)
class PlVariant(Variant):
    """One way to train.

    Attributes:
        points: a real lidar's, or those of a depth net that is left as it is, learns from depth alone, or learns from
            depth and from the detector.
    """

    detector: Detector
    points: Points
    supervision: Told

    def differs_only_in(self, factor: str, other: Variant) -> bool:
        """A lidar stands beside every supervision of the same detector, and differs in its points."""
        if isinstance(other, PlVariant) and (self.points == LIDAR) != (other.points == LIDAR):
            return factor == "points" and self.detector == other.detector
        return super().differs_only_in(factor, other)


def pl_variants(
    design: Design, supervisions: tuple[Supervision, ...], detectors: tuple[Detector, ...] = DETECTORS
) -> list[PlVariant]:
    """All to train, each once.

    Args:
        design: `axes` varies one thing at a time from the first detector, end to end, under dense supervision, and has
            all points of every detector; `full` takes every combination.
        supervisions: that there is depth for; a depth net that learns from none could not begin.
    """
    possible = tuple(level for level in supervisions if level != "none")
    middle = PlVariant(detectors[0], "end-to-end", "dense" if "dense" in possible else possible[-1])
    ways = [replace(middle, detector=each, points=points) for each in detectors for points in ESTIMATED]
    ways += [PlVariant(each, LIDAR, MEASURED) for each in detectors]
    if design == "full":
        ways += [PlVariant(a, b, c) for a in detectors for b in ESTIMATED for c in possible]
    else:
        ways += [replace(middle, supervision=level) for level in possible]
    return sorted(dict.fromkeys(ways), key=lambda arm: (arm != middle, detectors.index(arm.detector)))
