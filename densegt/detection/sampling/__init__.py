"""Where along, and beside, each ray the lift takes its samples."""

from densegt.detection.sampling.build import Name, build_sampler
from densegt.detection.sampling.contrast import contrast
from densegt.detection.sampling.sampler import Sampler
from densegt.detection.sampling.samples import Samples

__all__ = ["Name", "Sampler", "Samples", "build_sampler", "contrast"]
