"""Which held-out points the camera surely sees.

The lidar stands higher than the cameras: it sees over a car what they cannot. Whether a point is seen is asked of the
lidar itself: were its beams free all along the line from the camera to the point?
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.moments import Moments
from densegt.accumulation.motion.range_images import RangeImageBuilder
from densegt.accumulation.sweep_returns import read_returns
from densegt.accumulation.timing import EgoPath, point_times, to_global
from densegt.datasets.scene import Camera, Scene
from densegt.geometry import se3
from densegt.kernels.range_images import Margin, RangeImages
from densegt.kernels.sight_lines import BEHIND, FREE, UNCLEAR, SightRule, sight_lines

# What lies nearer to the camera than a metre is its own car.
RULE = SightRule(nearest_m=1.0, absolute_m=0.5, relative=0.05, step_rad=0.003, bend=0.03, skip=0.15)
MARGIN = Margin(absolute_m=0.1, relative=0.01)
# Moments before and after that may clear up what the point's own leaves open; movers have hardly moved by then.
OTHER_MOMENTS = (1, 2)


class Sight(IntEnum):
    """Whether a camera sees a held-out point."""

    SURE = FREE
    AMBIGUOUS = UNCLEAR
    HIDDEN = BEHIND


@dataclass(frozen=True)
class Sights:
    """A scene's sweeps as range images, to be asked what its cameras see.

    Attributes:
        origin_global_m: (3,) float64, that the images count from.
    """

    images: RangeImages
    moments: Moments
    origin_global_m: NDArray[np.float64]

    @classmethod
    def of(cls, scene: Scene, config: AccumulateConfig) -> Sights:
        """From all sweeps, each at its recorded pose.

        Raises:
            InputError: a sweep cannot be read.
        """
        path, moments, origin = EgoPath.of(scene), Moments.of(scene), scene.sweeps[0].T_global_ego[:3, 3].copy()
        builder = RangeImageBuilder(scene, path, moments, origin, config.free_space.columns)
        for index, (sweep, returns) in enumerate(zip(scene.sweeps, read_returns(scene, config), strict=True)):
            if len(returns):
                times_s = point_times(returns, sweep)
                xyz = (to_global(returns.xyz_lidar, sweep, times_s, path) - origin).astype(np.float32)
                builder.add(index, returns, xyz, times_s)
        return cls(builder.build(), moments, origin)

    def of_points(self, depth_m: NDArray[np.float32], camera: Camera, sweeps: list[int]) -> NDArray[np.uint8]:
        """Codes (H,W) of `Sight` of the points of some sweeps, as a depth map (H,W) of a camera has them."""
        v, u = np.nonzero(depth_m)
        K = camera.K
        ray = np.stack([(u - K[0, 2]) / K[0, 0], (v - K[1, 2]) / K[1, 1], np.ones(len(u))], axis=1)
        T_origin_cam = camera.T_global_cam.copy()
        T_origin_cam[:3, 3] -= self.origin_global_m
        xyz = se3.apply(T_origin_cam, ray * depth_m[v, u, None]).astype(np.float32)
        own = np.array(sweeps, dtype=np.int64)
        others = np.unique(self.moments.about(OTHER_MOMENTS)[own])
        state = np.empty(len(xyz), dtype=np.uint8)
        sight_lines(xyz, T_origin_cam[:3, 3].astype(np.float32), own, others, self.images, MARGIN, RULE, state)
        out = np.full(depth_m.shape, Sight.AMBIGUOUS, dtype=np.uint8)
        out[v, u] = state
        return out
