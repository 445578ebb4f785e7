"""Drive: a recording car in one scene's world, as the writer sees it; a street makes one for each scene."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from densegt.simulate.config import SimulateConfig
from densegt.simulate.motion import Motion

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class CameraMount:
    """One camera.

    Attributes:
        K: (3,3) px; T_ego_cam: (4,4).
        before_stamp_s: it fires this long before the lidar's stamp, when the beam passes its axis.
    """

    channel: str
    K: Float64
    T_ego_cam: Float64
    before_stamp_s: float

    def exposure_s(self, stamp_s: float) -> float:
        """When it fires for a stamp, in whole microseconds as time stamps are."""
        return (round(stamp_s * 1e6) - round(self.before_stamp_s * 1e6)) * 1e-6


@dataclass(frozen=True)
class Rig:
    """All sensors: the cameras and the lidar's T_ego_lidar (4,4)."""

    cameras: tuple[CameraMount, ...]
    T_ego_lidar: Float64


@dataclass(frozen=True)
class Exposure:
    """One picture (H,W,3) uint8, red green blue, and what each pixel's centre shows.

    Attributes:
        depth_m: (H,W) float32 exact z-depth, 0 = none; kind: (H,W) codes of Kind; object_id: (H,W), 0 = none.
        layers: further exact layers (H,W) by name.
    """

    depth_m: NDArray[np.float32]
    kind: NDArray[np.uint8]
    object_id: NDArray[np.uint16]
    rgb: NDArray[np.uint8]
    layers: Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class SweepReturns:
    """One turn's points (N,5) float32 as nuScenes stores them, and the truth about them.

    Attributes:
        object_id: (R,) of every return that counts for its object; R may be less than N.
        exact: arrays (N,) by name, written beside the points; empty = nothing is written.
    """

    points: NDArray[np.float32]
    object_id: NDArray[np.int64]
    exact: Mapping[str, NDArray[Any]]


class Thing(Protocol):
    """What can be annotated: a box that stands or moves."""

    @property
    def category(self) -> str:
        """The nuScenes name."""

    @property
    def size_lwh_m(self) -> Float64:
        """(3,) of the tight box."""

    @property
    def labelled(self) -> bool:
        """Whether boxes are written."""

    @property
    def moving(self) -> bool:
        """Whether it moves during the scene."""

    @property
    def motion(self) -> Motion:
        """Where it is."""

    def T_world_box(self, t_s: Float64) -> Float64:
        """Poses (N,4,4) of the tight box."""


class Drive(Protocol):
    """One scene's world with the recording car in it; times are in s from the first keyframe."""

    @property
    def ego(self) -> Motion:
        """The recording car's motion in the world frame."""

    @property
    def T_global_world(self) -> Float64:
        """(4,4); recordings are written in global."""

    @property
    def things(self) -> Sequence[Thing]:
        """What has an object id: index + 1."""

    @property
    def rig(self) -> Rig:
        """The car's sensors."""

    def spin(self, stamp_s: float, rng: np.random.Generator) -> SweepReturns:
        """One turn of the lidar that has this stamp."""

    def expose(self, stamp_s: float) -> list[Exposure]:
        """A picture of each camera for the keyframe of this stamp."""


class Street(Protocol):
    """A kind of world. It is sent to worker processes."""

    @property
    def kinds(self) -> Mapping[str, int]:
        """Codes of Kind that the exact store uses, by name."""

    @property
    def categories(self) -> Sequence[str]:
        """All nuScenes categories that may occur."""

    @property
    def channels(self) -> Sequence[str]:
        """All sensors that may occur; lidars begin with LIDAR."""

    def sweep_us(self, config: SimulateConfig, index: int) -> int:
        """Duration of a turn in a scene."""

    def drive(self, config: SimulateConfig, index: int, rng: np.random.Generator) -> Drive:
        """The world of a scene and its recording car; `rng` is for the car's sensors."""

    def described(self, config: SimulateConfig, index: int) -> Mapping[str, Any]:
        """What the exact store says of this scene's world beside the configuration."""

    def warm_up(self) -> None:
        """Compile what the drives need, so that processes started afterwards find it compiled."""
