"""Thing: a body with its box and its motion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.simulate.meshes.mesh import Mesh
from densegt.simulate.motion import Motion

Float64 = NDArray[np.float64]

MOVER_M = 0.5
"""A thing that moves farther than this during the scene is a mover."""


@dataclass(frozen=True)
class Body:
    """What a thing looks like.

    Attributes:
        category: nuScenes name; semantic: code of Semantic where the mesh has none of its own.
        pose: mesh in the body's frame (origin on the ground) at a phase of its limbs (rad); same triangles always.
        rigid: the pose does not depend on the phase.
        low, high: (3,) corners of the tight box.
        wheelbase_m: distance of the contact points; stride_m: way of one period of the limbs, 0 = none.
    """

    category: str
    semantic: int
    pose: Callable[[float], Mesh]
    rigid: bool
    low: Float64
    high: Float64
    wheelbase_m: float
    stride_m: float

    @property
    def size_lwh_m(self) -> Float64:
        """(3,)."""
        return self.high - self.low

    @property
    def middle(self) -> Float64:
        """(3,) of the box in the body's frame."""
        return (self.low + self.high) / 2


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

    def phase(self, t_s: float) -> float:
        """Phase of the limbs in rad."""
        return float(self.motion.state(np.array([t_s]))[0, 6])


def make_thing(body: Body, motion: Motion, *, labelled: bool, seconds: float) -> Thing:
    """A thing; whether it moves is measured."""
    xy = motion.state(np.linspace(0, seconds, 41))[:, :2]
    far = float(np.linalg.norm(xy - xy[0], axis=1).max())
    return Thing(body, motion, labelled, far > MOVER_M)
