"""From a recording and a configuration to the scene that every stage works on: the one place where the two meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from densegt.accumulation.config import AccumulateConfig, LidarConfig
from densegt.accumulation.read_ahead import ReadAhead
from densegt.datasets.far_poses import without_far_poses
from densegt.datasets.infer_lidar_model import LidarModelEvidence, infer_lidar_models
from densegt.datasets.lidar_model import LIDAR_MODELS, LidarModel
from densegt.datasets.recording import Recording
from densegt.datasets.sanity.check_scene import check_scene
from densegt.datasets.sanity.finding import SanityFinding
from densegt.datasets.scene import Scene
from densegt.datasets.set_aside import SetAside
from densegt.datasets.unreadable_sweeps import NamedSweeps, ReadableSweeps, UnreadableSweepError, without_sweep


def read_scene(
    recording: Recording, name: str, config: AccumulateConfig, *, cameras: Sequence[str] = (), strict: bool = False
) -> Scene:
    """A scene whose lidars have the configuration's model, or the recording's own, or the one inferred from it.

    Sweeps read for that are not read from their files again.

    Args:
        strict: see `examine`.

    Raises:
        InputError: unknown scene or camera, not one sweep can be read; strict: one cannot be.
    """
    scene = recording.scene(name, cameras=cameras, keyframes_only=config.window_s == 0)
    return examine(scene, config.lidar, sane=False, strict=strict).scene


@dataclass(frozen=True)
class ExaminedScene:
    """A scene that can be accumulated, and what its data say of it.

    Attributes:
        lidars: of each lidar's model.
        findings: contradictions, see `densegt.datasets.sanity`.
        unread: what is set aside as its turn comes to be read.
    """

    scene: Scene
    lidars: tuple[LidarModelEvidence, ...]
    findings: tuple[SanityFinding, ...]
    unread: ReadableSweeps

    @property
    def set_aside(self) -> tuple[SetAside, ...]:
        """All that was left out so far."""
        return (*self.scene.set_aside, *self.unread.set_aside)


def examine(scene: Scene, config: LidarConfig, *, sane: bool = True, strict: bool = False) -> ExaminedScene:
    """The scene with a model for each lidar; a given model holds whatever the data say.

    Args:
        sane: look for contradictions too.
        strict: refuse where a sweep cannot be read, now or later, or an ego pose cannot be; otherwise it is set aside.

    Raises:
        InputError: not one sweep can be read; strict: one cannot be.
    """
    scene = without_far_poses(scene, strict=strict)
    ahead = ReadAhead(NamedSweeps(scene.read_points))
    while True:
        try:
            used, lidars, findings = _examined(scene, config, ahead, sane=sane)
            break
        except UnreadableSweepError as bad:
            if strict:
                raise
            scene = without_sweep(scene, bad)
    ahead.stop()
    unread = ReadableSweeps(ahead)
    return ExaminedScene(replace(used, read_points=ahead if strict else unread), lidars, findings, unread)


def _examined(
    scene: Scene, config: LidarConfig, read: ReadAhead, *, sane: bool
) -> tuple[Scene, tuple[LidarModelEvidence, ...], tuple[SanityFinding, ...]]:
    model = configured_model(config)
    given = {} if model is None else {lidar.channel: model for lidar in scene.lidars}
    found = infer_lidar_models(scene, given, read)
    used = scene.with_lidar_models({channel: evidence.used for channel, evidence in found.items()})
    findings = tuple(check_scene(used, read)) if sane else ()
    return used, tuple(found.values()), findings


def configured_model(config: LidarConfig) -> LidarModel | None:
    """The lidar model that the configuration names or spells out; None leaves it to the recording."""
    if config.model == "auto":
        return None
    if config.model != "custom":
        return LIDAR_MODELS[config.model]
    return LidarModel(
        clockwise=config.clockwise,
        period_s=config.period_s,
        scan_start_azimuth_rad=float(np.deg2rad(config.scan_start_azimuth_deg)),
        stamp_fraction=config.stamp_fraction,
        compensated=config.compensated,
    )
