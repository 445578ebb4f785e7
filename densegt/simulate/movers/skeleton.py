"""Skeleton: bones that swing about their joints, and meshes that hang on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.simulate.meshes.mesh import Mesh, join

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Bone:
    """One stiff part of a body.

    Attributes:
        mesh: in the bone's own frame, whose origin is the joint.
        parent: index of the bone it hangs on, -1 = the body itself.
        joint: (3,) in the parent's frame; rest_rad: angle about y when nothing swings; lean_rad: about x.
        swing_rad: amplitude; phase_rad: where in the stride; bend: 1 = only bends one way, like a knee.
    """

    mesh: Mesh
    parent: int
    joint: tuple[float, float, float]
    rest_rad: float = 0.0
    lean_rad: float = 0.0
    swing_rad: float = 0.0
    phase_rad: float = 0.0
    bend: int = 0


@dataclass(frozen=True)
class Skeleton:
    """Bones, parents first."""

    bones: Sequence[Bone]

    def mesh(self, phase_rad: float, strength: float) -> Mesh:
        """The posed body; `strength` in 0..1 scales the swing. Its triangles are the same at every phase."""
        poses: list[Float64] = []
        out = []
        for bone in self.bones:
            turn = np.sin(phase_rad + bone.phase_rad)
            amount = bone.rest_rad + strength * bone.swing_rad * (max(turn, 0.0) if bone.bend else turn)
            local = _turned(amount, bone.lean_rad)
            local[:3, 3] = bone.joint
            T = local if bone.parent < 0 else poses[bone.parent] @ local
            poses.append(T)
            out.append((bone.mesh, T))
        return join(
            Mesh(
                m.vertices @ T[:3, :3].T + T[:3, 3],
                m.normals @ T[:3, :3].T,
                m.uv,
                m.triangles,
                m.material,
                m.colour,
                m.semantic,
            )
            for m, T in out
        )


def _turned(about_y_rad: float, about_x_rad: float) -> Float64:
    cy, sy, cx, sx = np.cos(about_y_rad), np.sin(about_y_rad), np.cos(about_x_rad), np.sin(about_x_rad)
    T = np.eye(4)
    T[:3, :3] = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]]) @ np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    return T
