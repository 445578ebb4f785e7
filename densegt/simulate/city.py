"""The city as the writer sees it: a street of meshes, cast by Embree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from densegt.depth.kind import Kind
from densegt.kernels.interpolate_corners import interpolate_corners
from densegt.kernels.rays_near_sphere import MovingSphere, TimedRays, rays_near_sphere
from densegt.simulate.config import SimulateConfig
from densegt.simulate.drive import Exposure, Rig, SweepReturns
from densegt.simulate.meshes.mesh import moved
from densegt.simulate.meshes.semantic import Semantic
from densegt.simulate.motion import Motion
from densegt.simulate.movers.catalogue import CATEGORIES
from densegt.simulate.movers.thing import Thing
from densegt.simulate.ranges import Ranges, read_ranges
from densegt.simulate.sensors.camera import Film, draw_film, expose
from densegt.simulate.sensors.casting import Caster
from densegt.simulate.sensors.echoes import Flag
from densegt.simulate.sensors.lidar import Faults, make_faults, spin
from densegt.simulate.sensors.lidar_model import SPECS, LidarSpec
from densegt.simulate.sensors.own_car import own_car
from densegt.simulate.sensors.rigs import CHANNELS, PLANS, make_rig
from densegt.simulate.sensors.textures import value_noise
from densegt.simulate.world import World, make_world

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class CityDrive:
    """A recording car in a city's world."""

    world: World
    rig: Rig
    lidar: LidarSpec
    faults: Faults
    films: tuple[Film, ...]
    own_car: Caster
    config: SimulateConfig

    @property
    def ego(self) -> Motion:
        """The recording car's motion."""
        return self.world.ego

    @property
    def T_global_world(self) -> Float64:
        """(4,4)."""
        return self.world.T_global_world

    @property
    def things(self) -> Sequence[Thing]:
        """What has an object id."""
        return self.world.things

    def spin(self, stamp_s: float, rng: np.random.Generator) -> SweepReturns:
        """One turn with this stamp."""
        turn = spin(self.world, self.rig.T_ego_lidar, self.lidar, self.faults, self.own_car, stamp_s, rng)
        seen = np.isfinite(turn.returns.range_m)
        triangle = turn.returns.triangle
        of_thing = np.where(triangle >= 0, self.world.look.object_id[np.maximum(triangle, 0)], 0)
        semantic = np.where(triangle >= 0, self.world.look.semantic[np.maximum(triangle, 0)], 0)
        kept = np.ones(len(seen), dtype=bool) if self.lidar.keeps_nulls else seen
        points = np.column_stack([turn.xyz_lidar, turn.intensity, turn.ring]).astype(np.float32)
        exact = {
            "flag": turn.returns.flag[kept],
            "object_id": of_thing[kept].astype(np.uint16),
            "semantic": semantic[kept].astype(np.uint8),
            "time_s": turn.time_s[kept],
        }
        return SweepReturns(points[kept], of_thing[seen & (triangle >= 0)].astype(np.int64), exact)

    def expose(self, stamp_s: float) -> list[Exposure]:
        """A picture of each camera."""
        out = []
        for k, (mount, film) in enumerate(zip(self.rig.cameras, self.films, strict=True)):
            rng = np.random.default_rng([self.config.seed, round(stamp_s * 1e3) + 1000, k])
            size = {"width_px": self.config.width_px, "height_px": self.config.height_px}
            out.append(expose(self.world, mount, film, mount.exposure_s(stamp_s), rng, **size))
        return out


@dataclass(frozen=True)
class CityStreet:
    """The street of meshes; `ranges` is the name of a file in configs/ or a path."""

    ranges: str = "city"
    kinds: ClassVar = {k.name.lower(): int(k) for k in Kind}
    categories: ClassVar = CATEGORIES
    channels: ClassVar = CHANNELS
    _read: list[Ranges] = field(default_factory=list, repr=False, compare=False)

    def read(self) -> Ranges:
        """The ranges."""
        if not self._read:
            self._read.append(read_ranges(self.ranges))
        return self._read[0]

    def choices(self, config: SimulateConfig, index: int) -> tuple[str, str]:
        """Names of the lidar and the rig of a scene."""
        rng = np.random.default_rng([config.seed, index, 0x41D])
        return self.read().choose(rng, "lidar"), self.read().choose(rng, "rig")

    def sweep_us(self, config: SimulateConfig, index: int) -> int:
        """Duration of a turn."""
        return round(SPECS[self.choices(config, index)[0]].period_s * 1e6)

    def drive(self, config: SimulateConfig, index: int, rng: np.random.Generator) -> CityDrive:
        """The world of a scene and its recording car."""
        name, plan = self.choices(config, index)
        spec, world = SPECS[name], make_world(config, self.read(), index)
        rig = make_rig(rng, PLANS[plan], spec, width_px=config.width_px, height_px=config.height_px)
        readout_s = self.read().draw(rng, "rolling_shutter_s")
        films = tuple(draw_film(rng, world.weather.light, readout_s) for _ in rig.cameras)
        faults = make_faults(rng, spec, wander=name == "wandering")
        body = moved(own_car(), np.linalg.inv(rig.T_ego_lidar))
        return CityDrive(world, rig, spec, faults, films, Caster(body, 0), config)

    def described(self, config: SimulateConfig, index: int) -> Mapping[str, Any]:
        """Its ranges and sensors, and the meaning of classes and flags."""
        lidar, rig = self.choices(config, index)
        ranges = self.read()
        return {
            "street": "city",
            "ranges": {"intervals": dict(ranges.intervals), "choices": {k: dict(v) for k, v in ranges.choices.items()}},
            "lidar": lidar,
            "rig": rig,
            "classes": {k.name.lower(): int(k) for k in Semantic},
            "flags": {k.name.lower(): int(k) for k in Flag},
        }

    def warm_up(self) -> None:
        """Compile what draws surfaces and finds movers."""
        none = np.zeros((0, 2), dtype=np.float32)
        value_noise(none[:, 0], none[:, 1])
        for depth in (2, 3):
            corners, values = np.zeros((1, 3, depth), dtype=np.float32), np.zeros((0, depth), dtype=np.float32)
            interpolate_corners(corners, np.zeros(0, dtype=np.int64), none, values)
        xyz, index = np.zeros((0, 3), dtype=np.float32), np.zeros(0, dtype=np.int64)
        sphere = MovingSphere(xyz, np.zeros(1, dtype=np.float32))
        rays_near_sphere(TimedRays(xyz, xyz, index, none[:, 0].copy()), index, 1, sphere, index)
