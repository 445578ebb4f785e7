"""A scene's world: ground, fixtures and things, flat for the ray caster, with every part's pose at any time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.depth.kind import Kind
from densegt.geometry.se3 import from_yaw
from densegt.kernels.raycast import Shapes, Surfaces
from densegt.simulate.config import SimulateConfig
from densegt.simulate.motion import Motion, poses_from_state
from densegt.simulate.simple.furniture import Fixture
from densegt.simulate.simple.ground import Ground, make_ground
from densegt.simulate.simple.layout import furnish
from densegt.simulate.simple.movers import movers
from densegt.simulate.simple.people import Limb
from densegt.simulate.simple.solids import Solid
from densegt.simulate.simple.street import Street, ego_motion, obstacles, parked
from densegt.simulate.simple.things import Thing

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """Everything that can be seen in a scene.

    Attributes:
        things: what has an object id: index + 1.
        T_global_world: (4,4); recordings are written in global.
        shapes: geometry; parts are first the fixtures, then each thing's trunk and limbs.
        fixed_poses: (F,12) of the fixtures.
        part_kind: (P,) uint8 codes of Kind; part_object: (P,) uint16 object ids, 0 = none.
        sun: (3,) unit vector towards the sun, in world.
    """

    ground: Ground
    ego: Motion
    things: tuple[Thing, ...]
    T_global_world: Float64
    shapes: Shapes
    surfaces: Surfaces
    fixed_poses: Float64
    part_kind: NDArray[np.uint8]
    part_object: NDArray[np.uint16]
    sun: Float64

    def part_poses(self, t_s: Float64) -> Float64:
        """T_world_part (T,P,12), row-major, of all parts at times (T,)."""
        fixed = np.broadcast_to(self.fixed_poses, (len(t_s), *self.fixed_poses.shape))
        return np.concatenate([fixed, *[_thing_poses(thing, t_s) for thing in self.things]], axis=1)


def _thing_poses(thing: Thing, t_s: Float64) -> Float64:
    """(T, 1 + limbs, 12) at times (T,)."""
    state = thing.motion.state(t_s)
    T = poses_from_state(state)
    poses = [T, *[T @ _swing(limb, state[:, 6]) for limb in thing.body.limbs]]
    return np.stack([p[:, :3].reshape(-1, 12) for p in poses], axis=1)


def _swing(limb: Limb, phase: Float64) -> Float64:
    """T_body_limb (T,4,4)."""
    angle = limb.rest_rad + limb.swing_rad * np.sin(phase + limb.phase_rad)
    T = np.zeros((len(phase), 4, 4))
    T[:, 0, 0], T[:, 0, 2], T[:, 2, 0], T[:, 2, 2] = np.cos(angle), np.sin(angle), -np.sin(angle), np.cos(angle)
    T[:, 1, 1] = T[:, 3, 3] = 1.0
    T[:, :3, 3] = limb.joint
    return T


def make_world(config: SimulateConfig, scene_index: int) -> World:
    """Draw the world of a scene; it depends on the seed, the scene's index and what the configuration asks for."""
    rng = np.random.default_rng([config.seed, scene_index, 0xD57])
    ground = make_ground(rng)
    ego = ego_motion(rng, ground, config.seconds)
    drive_m = float(ego.state(np.array([config.seconds]))[0, 0])
    fixtures = furnish(rng, ground, drive_m)
    street = Street(ground, config.seconds, drive_m, obstacles(fixtures))
    things = parked(rng, street)
    things += movers(rng, street, ego, things, config.unlabelled)
    T_global_world = from_yaw(rng.uniform(-np.pi, np.pi), [*rng.uniform(300, 1800, 2), 0.0])
    height, way = np.deg2rad(rng.uniform(28, 60)), rng.uniform(0, 2 * np.pi)
    sun = np.array([np.cos(height) * np.cos(way), np.cos(height) * np.sin(way), np.sin(height)])
    return assemble(ground, ego, fixtures, things, T_global_world, sun)


def assemble(
    ground: Ground,
    ego: Motion,
    fixtures: Sequence[Fixture],
    things: Sequence[Thing],
    T_global_world: Float64,
    sun: Float64,
) -> World:
    """Flatten fixtures and things into a World."""
    parts: list[tuple[Solid, ...]] = [f.solids for f in fixtures]
    kinds, objects = [Kind.STRUCTURE] * len(fixtures), [0] * len(fixtures)
    for index, thing in enumerate(things):
        for part in (thing.body.solids, *[limb.solids for limb in thing.body.limbs]):
            parts.append(part)
            kinds.append(_kind(thing))
            objects.append(index + 1)
    solids = [s for one in parts for s in one]
    surfaces = Surfaces(
        np.array([s.material for s in solids], dtype=np.int64).reshape(-1),
        np.array([s.colour for s in solids], dtype=np.float64).reshape(-1, 3),
        np.array([s.reflectance for s in solids], dtype=np.float64).reshape(-1),
    )
    return World(
        ground=ground,
        ego=ego,
        things=tuple(things),
        T_global_world=T_global_world,
        shapes=flatten(parts, ground),
        surfaces=surfaces,
        fixed_poses=np.array([f.T_world_part[:3].reshape(12) for f in fixtures]).reshape(-1, 12),
        part_kind=np.array(kinds, dtype=np.uint8),
        part_object=np.array(objects, dtype=np.uint16),
        sun=sun,
    )


def _kind(thing: Thing) -> Kind:
    if not thing.moving:
        return Kind.STANDING
    return Kind.LABELLED_MOVER if thing.labelled else Kind.UNLABELLED_MOVER


def flatten(parts: Sequence[Sequence[Solid]], ground: Ground) -> Shapes:
    """The ray caster's arrays of parts, each a sequence of solids in its own frame."""
    solids = [s for part in parts for s in part]
    low, high = np.array([s.low for s in solids]).reshape(-1, 3), np.array([s.high for s in solids]).reshape(-1, 3)
    sphere = np.column_stack([(low + high) / 2, np.linalg.norm(high - low, axis=1) / 2 + 1e-6])
    start = np.concatenate([[0], np.cumsum([len(p) for p in parts])]).astype(np.int64)
    whole = np.zeros((len(parts), 4))
    for i in range(len(parts)):
        a, b = low[start[i] : start[i + 1]].min(axis=0), high[start[i] : start[i + 1]].max(axis=0)
        middle = (a + b) / 2
        mine = sphere[start[i] : start[i + 1]]
        reach = (np.linalg.norm(mine[:, :3] - middle, axis=1) + mine[:, 3]).max()
        whole[i] = [*middle, min(reach, np.linalg.norm(b - a) / 2 + 1e-6)]
    return Shapes(
        kind=np.array([s.kind for s in solids], dtype=np.int64).reshape(-1),
        param=np.array([s.param for s in solids]).reshape(-1, 9),
        sphere=sphere,
        plane_start=np.concatenate([[0], np.cumsum([len(s.planes) for s in solids])]).astype(np.int64),
        planes=np.concatenate([s.planes for s in solids] or [np.zeros((0, 4))]),
        part_start=start,
        part_sphere=whole,
        ground=ground.vector,
    )
