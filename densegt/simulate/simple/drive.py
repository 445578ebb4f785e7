"""The simple street as the writer sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from densegt.depth.kind import Kind
from densegt.simulate.config import SimulateConfig
from densegt.simulate.drive import Exposure, Rig, SweepReturns
from densegt.simulate.motion import Motion
from densegt.simulate.simple.cameras import expose
from densegt.simulate.simple.lidar import spin
from densegt.simulate.simple.rig import CHANNELS, make_rig
from densegt.simulate.simple.shadows import shadow_map
from densegt.simulate.simple.things import CATEGORIES, Thing
from densegt.simulate.simple.world import World, make_world

Float64 = NDArray[np.float64]

SWEEP_US = 50_000


@dataclass(frozen=True)
class SimpleDrive:
    """A recording car in a simple world."""

    world: World
    rig: Rig
    width_px: int
    height_px: int

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
        """One turn that ends at the stamp."""
        turn = spin(self.world, self.rig, stamp_s, rng)
        objects = np.where(turn.part >= 0, self.world.part_object[np.maximum(turn.part, 0)], 0).astype(np.int64)
        points = np.column_stack([turn.xyz_lidar, turn.intensity, turn.ring]).astype(np.float32)
        exact = {"object_id": np.where(turn.returned, objects, 0).astype(np.uint16)}
        return SweepReturns(points, objects[turn.returned], exact)

    def expose(self, stamp_s: float) -> list[Exposure]:
        """Six pictures, lit as at the stamp."""
        shadows = shadow_map(self.world, stamp_s)
        return [
            expose(
                self.world, mount, shadows, mount.exposure_s(stamp_s),
                width_px=self.width_px, height_px=self.height_px,
            )
            for mount in self.rig.cameras
        ]  # fmt: skip


@dataclass(frozen=True)
class SimpleStreet:
    """The street of closed-form shapes."""

    kinds: ClassVar = {k.name.lower(): int(k) for k in Kind if k <= Kind.UNLABELLED_MOVER}
    categories = CATEGORIES
    channels = CHANNELS

    def sweep_us(self, config: SimulateConfig, index: int) -> int:
        """20 Hz."""
        return SWEEP_US

    def drive(self, config: SimulateConfig, index: int, rng: np.random.Generator) -> SimpleDrive:
        """The world of a scene with nuScenes' sensors."""
        rig = make_rig(rng, width_px=config.width_px, height_px=config.height_px)
        return SimpleDrive(make_world(config, index), rig, config.width_px, config.height_px)

    def described(self, config: SimulateConfig, index: int) -> Mapping[str, Any]:
        """Nothing beside the configuration."""
        return {}

    def warm_up(self) -> None:
        """Run every kernel once on little."""
        config = SimulateConfig(seconds=0.5, width_px=16, height_px=16)
        drive = self.drive(config, 0, np.random.default_rng(0))
        drive.spin(0.0, np.random.default_rng(0))
        drive.expose(0.0)
