"""Things: what can be annotated. A body of solids with limbs, a motion, and a tight box."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.simulate.motion import Motion
from densegt.simulate.simple.people import Limb
from densegt.simulate.simple.solids import Solid, bounds

Float64 = NDArray[np.float64]

CATEGORIES = (
    "human.pedestrian.adult", "human.pedestrian.child", "movable_object.barrier", "movable_object.trafficcone",
    "vehicle.bicycle", "vehicle.bus.rigid", "vehicle.car", "vehicle.truck",
)  # fmt: skip

MOVER_M = 0.5
"""A thing that moves farther than this during the scene is a mover."""


@dataclass(frozen=True)
class Body:
    """What a thing looks like.

    Attributes:
        category: nuScenes name.
        solids: the rigid trunk; limbs swing.
        middle: (3,) of the tight box in the body's frame; size_lwh_m: (3,).
        wheelbase_m: distance of the contact points; stride_m: way of one period of the limbs.
    """

    category: str
    solids: tuple[Solid, ...]
    limbs: tuple[Limb, ...]
    middle: Float64
    size_lwh_m: Float64
    wheelbase_m: float
    stride_m: float


def make_body(
    category: str,
    solids: list[Solid],
    limbs: list[Limb] | None = None,
    *,
    wheelbase_m: float = 0.4,
    stride_m: float = 0.0,
) -> Body:
    """A body with the box that bounds its trunk and its limbs through their whole swing."""
    low, high = bounds(solids)
    for limb in limbs or []:
        for angle in limb.rest_rad + limb.swing_rad * np.linspace(-1, 1, 9):
            a, b = _limb_bounds(limb, float(angle))
            low, high = np.minimum(low, a), np.maximum(high, b)
    return Body(category, tuple(solids), tuple(limbs or []), (low + high) / 2, high - low, wheelbase_m, stride_m)


def _limb_bounds(limb: Limb, angle_rad: float) -> tuple[Float64, Float64]:
    """Bounds of a limb of capsules at an angle."""
    ends = np.array([[s.param[:3], s.param[3:6]] for s in limb.solids]) @ turn_y(angle_rad).T + np.array(limb.joint)
    radius = np.array([s.param[6] for s in limb.solids])[:, None, None]
    return (ends - radius).min(axis=(0, 1)), (ends + radius).max(axis=(0, 1))


def turn_y(angle_rad: float) -> Float64:
    """Rotation (3,3) about y."""
    c, s = np.cos(angle_rad), np.sin(angle_rad)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


@dataclass(frozen=True)
class Thing:
    """A body that stands or moves in a scene."""

    body: Body
    motion: Motion
    labelled: bool
    moving: bool

    @property
    def category(self) -> str:
        """The nuScenes name."""
        return self.body.category

    @property
    def size_lwh_m(self) -> Float64:
        """(3,) of the tight box."""
        return self.body.size_lwh_m

    def T_world_box(self, t_s: Float64) -> Float64:
        """Poses (N,4,4) of the tight box."""
        T = self.motion.T_world_body(t_s)
        T[:, :3, 3] += T[:, :3, :3] @ self.body.middle
        return T


def make_thing(body: Body, motion: Motion, *, labelled: bool, seconds: float) -> Thing:
    """A thing; whether it moves is measured."""
    xy = motion.state(np.linspace(0, seconds, 41))[:, :2]
    far = float(np.linalg.norm(xy - xy[0], axis=1).max())
    return Thing(body, motion, labelled, far > MOVER_M)
