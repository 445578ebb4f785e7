"""The city's world of one scene: triangles that stand, things that move, and what each triangle is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from densegt.depth.kind import Kind
from densegt.geometry.se3 import from_yaw, inverse
from densegt.simulate.config import SimulateConfig
from densegt.simulate.meshes.material import Material
from densegt.simulate.meshes.mesh import Mesh, join, moved
from densegt.simulate.meshes.semantic import Semantic
from densegt.simulate.motion import Motion
from densegt.simulate.movers.thing import Thing
from densegt.simulate.movers.traffic import draw_things, ego_motion
from densegt.simulate.ranges import Ranges
from densegt.simulate.sensors.casting import Caster
from densegt.simulate.street.layout import furnish
from densegt.simulate.street.terrain import Terrain, make_terrain
from densegt.simulate.weather import Weather, draw_weather

Float64 = NDArray[np.float64]


POSE_S = 0.005
"""Limbs are posed anew this often while a lidar turns."""


@dataclass(frozen=True)
class Look:
    """What every triangle of the world is, (T,...).

    Attributes:
        material, semantic, kind: uint8 codes; object_id: uint16; colour: (T,3).
        uv: (T,3,2) and normal: (T,3,3) of the corners, in the frame of the thing.
    """

    material: NDArray[np.uint8]
    semantic: NDArray[np.uint8]
    kind: NDArray[np.uint8]
    object_id: NDArray[np.uint16]
    colour: NDArray[np.float32]
    uv: NDArray[np.float32]
    normal: NDArray[np.float32]


@dataclass(frozen=True)
class Mover:
    """A thing that moves: its index, its first triangle, and a sphere in its frame that holds it at every phase."""

    index: int
    thing: Thing
    first: int
    middle: Float64
    radius: float


class Frames(NamedTuple):
    """A mover at some times (M,): T_world_body and its inverse (M,4,4) float32, and its sphere's middle (M,3)."""

    T_world_body: NDArray[np.float32]
    T_body_world: NDArray[np.float32]
    middle: Float64


@dataclass(frozen=True)
class World:
    """Everything that can be seen in a scene.

    Attributes:
        things: what has an object id: index + 1.
        T_global_world: (4,4); recordings are written in global.
        standing: casts at all that never moves; movers: the rest.
        standing_mesh: what it casts at.
    """

    terrain: Terrain
    ego: Motion
    things: tuple[Thing, ...]
    T_global_world: Float64
    weather: Weather
    look: Look
    standing: Caster
    movers: tuple[Mover, ...]
    standing_mesh: Mesh

    @cached_property
    def _posed(self) -> dict[tuple[int, int], Caster]:
        return {}

    @cached_property
    def _frames(self) -> dict[bytes, list[Frames]]:
        return {}

    def frames(self, times_s: Float64) -> list[Frames]:
        """Where each mover is at times (M,); the last times are kept, as a turn asks for them several times."""
        key = times_s.tobytes()
        if key not in self._frames:
            self._frames.clear()
            self._frames[key] = [_frames_of(mover, times_s) for mover in self.movers]
        return self._frames[key]

    @cached_property
    def rigid_casters(self) -> dict[int, Caster]:
        """Of movers without limbs, by index of the thing, in their own frames."""
        return {m.index: Caster(m.thing.body.pose(0.0), m.first) for m in self.movers if m.thing.body.rigid}

    def caster(self, mover: Mover, t_s: float) -> Caster:
        """A mover in its own frame, its limbs as within 2.5 ms of a time."""
        if mover.thing.body.rigid:
            return self.rigid_casters[mover.index]
        step = round(t_s / POSE_S)
        if (mover.index, step) not in self._posed:
            if len(self._posed) > 200:
                self._posed.clear()
            phase = mover.thing.phase(step * POSE_S)
            self._posed[mover.index, step] = Caster(mover.thing.body.pose(phase), mover.first)
        return self._posed[mover.index, step]

    def moving(self, t_s: float) -> Caster:
        """All movers as they are at a time, in the world's frame."""
        return Caster(self.moving_mesh(t_s), self.movers[0].first if self.movers else 0)

    def moving_mesh(self, t_s: float) -> Mesh:
        """All movers as they are at a time, in the world's frame; in `look` they come after the standing mesh."""
        t = np.array([t_s])
        return join(
            moved(m.thing.body.pose(m.thing.phase(t_s)), m.thing.motion.T_world_body(t)[0]) for m in self.movers
        )


def _frames_of(mover: Mover, times_s: Float64) -> Frames:
    T = mover.thing.motion.T_world_body(times_s)
    return Frames(T.astype(np.float32), inverse(T).astype(np.float32), T[:, :3, :3] @ mover.middle + T[:, :3, 3])


def make_world(config: SimulateConfig, ranges: Ranges, scene_index: int) -> World:
    """Draw the world of a scene; it depends on the seed, the scene's index, the ranges and the configuration."""
    rng = np.random.default_rng([config.seed, scene_index, 0xC17])
    speed = ranges.draw(rng, "ego_speed_mps")
    terrain = make_terrain(rng, ranges, 1.3 * speed * config.seconds + 20)
    ego = ego_motion(rng, terrain, speed, config.seconds)
    weather = draw_weather(rng, ranges)
    fixtures, obstacles = furnish(rng, ranges, terrain)
    things = draw_things(rng, ranges, terrain, ego, obstacles, config)
    T_global_world = from_yaw(rng.uniform(-np.pi, np.pi), [*rng.uniform(300, 1800, 2), 0.0])
    return assemble(terrain, ego, fixtures, things, T_global_world, weather)


def assemble(
    terrain: Terrain, ego: Motion, fixtures: Mesh, things: Sequence[Thing], T_global_world: Float64, weather: Weather
) -> World:
    """A world of fixtures and things."""
    zero = np.zeros(1)
    meshes, objects = [fixtures], [0]
    for index, thing in enumerate(things):
        if not thing.moving:
            meshes.append(moved(thing.body.pose(thing.phase(0.0)), thing.motion.T_world_body(zero)[0]))
            objects.append(index + 1)
    standing = join(meshes)
    movers, first = [], len(standing.triangles)
    for index, thing in enumerate(things):
        if thing.moving:
            mesh = thing.body.pose(0.0)
            half = thing.body.size_lwh_m / 2
            movers.append(Mover(index, thing, first, thing.body.middle, float(np.linalg.norm(half))))
            meshes.append(mesh)
            objects.append(index + 1)
            first += len(mesh.triangles)
    ids = np.repeat(np.array(objects), [len(m.triangles) for m in meshes])
    look = _look(join(meshes), ids, things)
    return World(
        terrain, ego, tuple(things), T_global_world, weather, look, Caster(standing, 0), tuple(movers), standing
    )


def _look(mesh: Mesh, object_id: NDArray[np.int64], things: Sequence[Thing]) -> Look:
    corners = mesh.triangles
    return Look(
        material=mesh.material,
        semantic=mesh.semantic,
        kind=_kinds(mesh, object_id, things),
        object_id=object_id.astype(np.uint16),
        colour=mesh.colour,
        uv=mesh.uv.astype(np.float32)[corners],
        normal=mesh.normals.astype(np.float32)[corners],
    )


def _kinds(mesh: Mesh, object_id: NDArray[np.int64], things: Sequence[Thing]) -> NDArray[np.uint8]:
    """Codes of Kind: first what moves without a label, then glass, people, leaves, then the rest."""
    of_thing = np.array([Kind.STRUCTURE, *[_kind(t) for t in things]], dtype=np.uint8)
    kind = of_thing[object_id]
    ground = (object_id == 0) & np.isin(mesh.semantic, [Semantic.ROAD, Semantic.PAVEMENT, Semantic.TERRAIN])
    kind[ground & (mesh.material != Material.LEAF)] = Kind.GROUND
    kind[(object_id == 0) & np.isin(mesh.material, [Material.LEAF, Material.MESH])] = Kind.POROUS
    kind[(mesh.material == Material.GLASS) & (kind != Kind.UNLABELLED_MOVER)] = Kind.GLASS
    return kind


def _kind(thing: Thing) -> Kind:
    if not thing.labelled:
        return Kind.UNLABELLED_MOVER
    if thing.category.startswith(("human", "animal")):
        return Kind.PERSON
    return Kind.LABELLED_MOVER if thing.moving else Kind.STANDING
