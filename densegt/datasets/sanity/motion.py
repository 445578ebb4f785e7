"""Do the poses move the lidar as the points say it moved?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from densegt.datasets.sanity.finding import SanityFinding
from densegt.datasets.sanity.odometry import Planes, measured_motion, observability, roughness_m
from densegt.datasets.sanity.sample import SceneSample, SweepPair
from densegt.geometry import se3

Float64 = NDArray[np.float64]
CHECK = "motion"
# Recorded poses may be off by this over a pair: metres, share of the way, degrees.
LEAST_M, SHARE, LEAST_DEG = 0.15, 0.15, 2.0
# Points that say nothing are laid no better by the motion found than by none; a motion is believed if it lays them
# this much better than the recorded one.
BETTER = 0.97
# Between walls along the road nothing tells how far the car drove; real streets have 0.02 and more.
OBSERVABLE = 0.008
# Sweeps of places so far apart have nothing in common.
FAR_M = 50.0
UNITS = ((1000, "millimetres"), (100, "centimetres"), (10, "decimetres"), (0.001, "kilometres"), (3.28, "feet"))


@dataclass(frozen=True)
class Motion:
    """The lidar's way over a pair, m in the first sweep's ego frame, recorded and measured; and degrees apart."""

    seconds: float
    recorded_m: Float64
    measured_m: Float64
    turn_apart_deg: float
    believed: bool

    @property
    def apart_m(self) -> float:
        """Distance between both."""
        return float(np.linalg.norm(self.recorded_m - self.measured_m))

    @property
    def contradicts(self) -> bool:
        """Whether the poses are wrong."""
        limit_m = LEAST_M + SHARE * float(np.linalg.norm(self.measured_m))
        return self.believed and (self.apart_m > limit_m or self.turn_apart_deg > LEAST_DEG)

    @property
    def of_other_places(self) -> bool:
        """Whether the sweeps may only look alike: places so far apart have nothing in common."""
        recorded, measured = (float(np.linalg.norm(way)) for way in (self.recorded_m, self.measured_m))
        return recorded > FAR_M and measured < LEAST_M


def motion_of(pair: SweepPair) -> Motion:
    """Both motions of a pair."""
    planes = Planes.of(pair.first_points.xyz_lidar)
    recorded, measured = pair.T_first_second, measured_motion(pair, planes)
    rough = [roughness_m(planes, pair.second_points.xyz_lidar, T) for T in (recorded, measured)]
    apart = Rotation.from_matrix((se3.inverse(recorded) @ measured)[:3, :3]).magnitude()
    R = pair.first.T_ego_lidar[:3, :3]
    shift = measured[:3, 3] - recorded[:3, 3]
    seen = observability(planes, pair.second_points.xyz_lidar, measured, shift) > OBSERVABLE
    believed = seen and rough[1] < BETTER * rough[0]
    return Motion(pair.seconds, R @ recorded[:3, 3], R @ measured[:3, 3], float(np.rad2deg(apart)), believed)


def check_motion(sample: SceneSample) -> Iterator[SanityFinding]:
    """Recorded against measured motion; a contradiction where most pairs contradict."""
    motions = [motion_of(pair) for pair in sample.pairs]
    wrong = [motion for motion in motions if motion.contradicts]
    if motions and 2 * len(wrong) > len(motions):
        middle = sorted(wrong, key=lambda motion: motion.apart_m)[len(wrong) // 2]
        yield SanityFinding(CHECK, "", _facts(middle), _cause(middle), fatal=not middle.of_other_places)


def _facts(motion: Motion) -> str:
    over = f"over {motion.seconds:.2f} s"
    if motion.apart_m <= LEAST_M + SHARE * float(np.linalg.norm(motion.measured_m)):
        return f"{over} the poses turn the lidar {motion.turn_apart_deg:.1f} degrees otherwise than its points say"
    said, seen = (np.round(way, 2).tolist() for way in (motion.recorded_m, motion.measured_m))
    return f"{over} the poses move the lidar by {said} m (ahead, left, up), its points say {seen} m"


def _cause(motion: Motion) -> str:
    """The mistake that explains a motion best."""
    recorded, measured = motion.recorded_m, motion.measured_m
    lengths = float(np.linalg.norm(recorded)), float(np.linalg.norm(measured))
    if lengths[1] > 0.3 and lengths[0] < 0.2 * lengths[1]:
        return "are ego poses there, one for each sweep? They hardly move"
    ratio = lengths[0] / max(lengths[1], 1e-6)
    for factor, unit in UNITS:
        if lengths[1] > 0.1 and 0.85 < ratio / factor < 1.15:
            return f"poses (or points) seem to be in {unit}; metres are wanted"
    cosine = float(recorded @ measured) / max(lengths[0] * lengths[1], 1e-9)
    if 0.7 < ratio < 1.4 and cosine < -0.9:
        return "poses seem to be inverted (T_global_ego maps ego to global), or the lidar's extrinsic half a turn off"
    if 0.7 < ratio < 1.4 and cosine < 0.97:
        return "another direction: check the order of quaternions (w,x,y,z), axes, and the lidar's extrinsic rotation"
    return "check stamps, frames (T_global_ego, T_ego_lidar), quaternions (w,x,y,z), and which file is which sweep"
