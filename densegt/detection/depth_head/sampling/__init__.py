"""Where along, and beside, each ray the lift takes its samples."""

from densegt.detection.depth_head.sampling.build import Name, build_sampler
from densegt.detection.depth_head.sampling.contrast import contrast
from densegt.detection.depth_head.sampling.sampler import Sampler
from densegt.detection.depth_head.sampling.samples import Samples

__all__ = ["Name", "Sampler", "Samples", "build_sampler", "contrast"]
