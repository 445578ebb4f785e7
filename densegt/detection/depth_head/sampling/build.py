"""A sampler by its name."""

from __future__ import annotations

from typing import Literal

from densegt.detection.depth_head.bins import Bins
from densegt.detection.depth_head.sampling.fixed import FixedSampler
from densegt.detection.depth_head.sampling.offset import OffsetSampler
from densegt.detection.depth_head.sampling.pdf import PdfSampler
from densegt.detection.depth_head.sampling.sampler import Sampler

Name = Literal["fixed", "pdf", "offset", "depth-offset", "pixel-offset"]


def build_sampler(name: Name, bins: Bins, *, channels: int, samples: int) -> Sampler:
    """The sampler called `name`.

    Args:
        channels: C of the features that it is given.
        samples: how many "pdf" draws on each ray; the others take as many as there are bins.

    Raises:
        ValueError: there is none of that name.
    """
    match name:
        case "fixed":
            return FixedSampler(bins)
        case "pdf":
            return PdfSampler(bins, channels=channels, samples=samples)
        case "offset":
            return OffsetSampler(bins, channels=channels)
        case "depth-offset":
            return OffsetSampler(bins, channels=channels, aside=False)
        case "pixel-offset":
            return OffsetSampler(bins, channels=channels, along=False)
    raise ValueError(f"no sampling is called {name!r}")
