"""A recording: drive through one scene's world and write its sweeps, pictures, exact depth and table rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from densegt.datasets.scene import Camera
from densegt.depth.kind import Kind
from densegt.depth.store import SceneWriter, encode_depth
from densegt.simulate.annotations import Sighting, annotate, instance_token
from densegt.simulate.cameras import Exposure, expose
from densegt.simulate.config import SimulateConfig
from densegt.simulate.drift import Drift, make_drift
from densegt.simulate.lidar import Turn, spin
from densegt.simulate.rig import CameraMount, Rig, make_rig
from densegt.simulate.shadows import ShadowMap, shadow_map
from densegt.simulate.tables import Row, Tables, chain, empty_tables, pose_fields, token
from densegt.simulate.visibility import visible_share
from densegt.simulate.world import World, make_world

Float64 = NDArray[np.float64]

SWEEP_US, KEYFRAME_EVERY = 50_000, 10
FIRST_US = 1_600_000_000_000_000
JPEG_QUALITY = 92


@dataclass(frozen=True)
class Recorder:
    """What every sensor's writing needs.

    Attributes:
        scene: name; start_us: stamp of the first keyframe; folder: the dataset's.
        drift: error of the recorded ego poses.
    """

    config: SimulateConfig
    scene: str
    start_us: int
    folder: Path
    world: World
    rig: Rig
    drift: Drift

    def token(self, *names: object) -> str:
        """A token of this scene."""
        return token(self.config.seed, self.scene, *names)

    def seconds(self, timestamp_us: int) -> float:
        """Time in the world."""
        return (timestamp_us - self.start_us) * 1e-6

    def T_global_ego(self, timestamp_us: int) -> Float64:
        """The true pose (4,4)."""
        T: Float64 = self.world.ego.T_world_body(np.array([self.seconds(timestamp_us)]))[0]
        return self.world.T_global_world @ T


def scene_name(index: int) -> str:
    """scene-0001 for index 0."""
    return f"scene-{index + 1:04d}"


def sweeps_in(seconds: float) -> int:
    """How many turns of the lidar a scene has; the first and, where it fits, the last are keyframes."""
    return round(seconds * 1e6 / SWEEP_US) + 1


def record_scene(config: SimulateConfig, index: int, folder: Path, tick: Callable[[], None]) -> Tables:
    """Simulate one scene into the folder; `tick` is called after every sweep. Returns its rows of the tables."""
    rng = np.random.default_rng([config.seed, index, 0x516])
    recorder = Recorder(
        config=config,
        scene=scene_name(index),
        start_us=FIRST_US + index * 3_600_000_000 + int(rng.integers(1_000_000)),
        folder=folder,
        world=make_world(config, index),
        rig=make_rig(rng, width_px=config.width_px, height_px=config.height_px),
        drift=make_drift(rng, config.pose_noise_m, config.seconds),
    )
    tables = empty_tables()
    keyframes, sightings = [], []
    with SceneWriter(folder / "exact", recorder.scene, store_config(recorder)) as store:
        for k in range(sweeps_in(config.seconds)):
            stamp_us = recorder.start_us + k * SWEEP_US
            noise = np.random.default_rng([config.seed, index, 0x11DA, k])
            turn = spin(recorder.world, recorder.rig, recorder.seconds(stamp_us), noise)
            is_keyframe = k % KEYFRAME_EVERY == 0
            _write_sweep(recorder, tables, turn, k, is_keyframe)
            if is_keyframe:
                sample_token = recorder.token("sample", k // KEYFRAME_EVERY)
                shadows = shadow_map(recorder.world, recorder.seconds(stamp_us))
                exposures = [_write_image(recorder, tables, store, shadows, mount, k) for mount in recorder.rig.cameras]
                keyframes.append({"token": sample_token, "timestamp": stamp_us, "scene_token": recorder.token("scene")})
                sightings.append(_sighting(recorder, sample_token, recorder.seconds(stamp_us), turn, exposures))
            tick()
    tables["sample"] = chain(keyframes)
    tables["sample_data"] = _chain_channels(tables["sample_data"])
    tables["instance"], tables["sample_annotation"] = annotate(recorder.world, recorder.scene, config, sightings)
    _scene_rows(recorder, tables)
    return tables


def store_config(recorder: Recorder) -> dict[str, Any]:
    """What the exact store says about how it was made, and what its object ids and kinds mean."""
    objects = [
        {
            "id": i + 1,
            "category": thing.body.category,
            "token": instance_token(recorder.scene, recorder.config.seed, i) if thing.labelled else None,
            "moving": thing.moving,
            "labelled": thing.labelled,
        }
        for i, thing in enumerate(recorder.world.things)
    ]
    return {"simulate": asdict(recorder.config), "objects": objects, "kinds": {k.name.lower(): int(k) for k in Kind}}


def _nearest_keyframe(recorder: Recorder, sweep: int) -> int:
    last = (sweeps_in(recorder.config.seconds) - 1) // KEYFRAME_EVERY
    return min((sweep + KEYFRAME_EVERY // 2) // KEYFRAME_EVERY, last)


def _add_sample_data(
    recorder: Recorder,
    tables: Tables,
    channel: str,
    timestamp_us: int,
    sweep: int,
    *,
    is_keyframe: bool,
    extension: str,
) -> Row:
    """Rows of sample_data and ego_pose for one reading."""
    own = recorder.token("sample_data", channel, timestamp_us)
    place = "samples" if is_keyframe else "sweeps"
    camera = channel != "LIDAR_TOP"
    row = {
        "token": own,
        "sample_token": recorder.token("sample", _nearest_keyframe(recorder, sweep)),
        "ego_pose_token": own,
        "calibrated_sensor_token": recorder.token("calibrated_sensor", channel),
        "timestamp": timestamp_us,
        "fileformat": "jpg" if camera else "pcd",
        "is_key_frame": is_keyframe,
        "height": recorder.config.height_px if camera else 0,
        "width": recorder.config.width_px if camera else 0,
        "filename": f"{place}/{channel}/{recorder.scene}__{channel}__{timestamp_us}.{extension}",
    }
    tables["sample_data"].append(row)
    T = recorder.drift.apply(recorder.T_global_ego(timestamp_us), recorder.seconds(timestamp_us))
    tables["ego_pose"].append({"token": own, "timestamp": timestamp_us, **pose_fields(T)})
    return row


def _write_sweep(recorder: Recorder, tables: Tables, turn: Turn, sweep: int, is_keyframe: bool) -> None:
    stamp_us = recorder.start_us + sweep * SWEEP_US
    row = _add_sample_data(recorder, tables, "LIDAR_TOP", stamp_us, sweep, is_keyframe=is_keyframe, extension="pcd.bin")
    points = np.column_stack([turn.xyz_lidar, turn.intensity, turn.ring]).astype("<f4")
    path = recorder.folder / str(row["filename"])
    path.parent.mkdir(parents=True, exist_ok=True)
    points.tofile(path)


def _write_image(
    recorder: Recorder, tables: Tables, store: SceneWriter, shadows: ShadowMap, mount: CameraMount, sweep: int
) -> Exposure:
    """Take, write and store one keyframe picture."""
    config = recorder.config
    timestamp_us = recorder.start_us + sweep * SWEEP_US - round(mount.before_stamp_s * 1e6)
    t_s = recorder.seconds(timestamp_us)
    exposure = expose(recorder.world, mount, shadows, t_s, width_px=config.width_px, height_px=config.height_px)
    row = _add_sample_data(recorder, tables, mount.channel, timestamp_us, sweep, is_keyframe=True, extension="jpg")
    path = recorder.folder / str(row["filename"])
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.ascontiguousarray(exposure.rgb[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    camera = Camera(
        token=row["token"],
        sample_token=row["sample_token"],
        channel=mount.channel,
        image_path=path,
        filename=row["filename"],
        width_px=config.width_px,
        height_px=config.height_px,
        timestamp_us=timestamp_us,
        K=mount.K,
        T_ego_cam=mount.T_ego_cam,
        T_global_ego=recorder.T_global_ego(timestamp_us),
    )
    steps = encode_depth(exposure.depth_m)
    store.write_layers(
        camera,
        {
            "depth": steps,
            "source": (steps > 0).astype(np.uint8),
            "object_id": exposure.object_id,
            "kind": exposure.kind,
        },
    )
    return exposure


def _sighting(recorder: Recorder, sample_token: str, t_s: float, turn: Turn, exposures: list[Exposure]) -> Sighting:
    world = recorder.world
    objects = np.where(turn.part >= 0, world.part_object[np.maximum(turn.part, 0)], 0)[turn.returned]
    points = np.bincount(objects, minlength=len(world.things) + 1)[1:]
    return Sighting(sample_token, t_s, points, visible_share(world, recorder.rig, t_s, exposures))


def _chain_channels(rows: list[Row]) -> list[Row]:
    by_channel: dict[str, list[Row]] = {}
    for row in rows:
        by_channel.setdefault(row["calibrated_sensor_token"], []).append(row)
    return [row for channel in by_channel.values() for row in chain(channel)]


def _scene_rows(recorder: Recorder, tables: Tables) -> None:
    """Rows that a scene has once: log, map, scene and its sensors' calibration."""
    log, samples = recorder.token("log"), tables["sample"]
    tables["log"] = [
        {
            "token": log,
            "logfile": recorder.scene,
            "vehicle": "sim",
            "date_captured": "2020-09-13",
            "location": "simulated",
        }
    ]
    tables["scene"] = [
        {
            "token": recorder.token("scene"),
            "log_token": log,
            "nbr_samples": len(samples),
            "first_sample_token": samples[0]["token"],
            "last_sample_token": samples[-1]["token"],
            "name": recorder.scene,
            "description": f"simulated street, seed {recorder.config.seed}",
        }
    ]
    mounts: list[tuple[str, Float64, list[list[float]]]] = [("LIDAR_TOP", recorder.rig.T_ego_lidar, [])]
    mounts += [(c.channel, c.T_ego_cam, c.K.tolist()) for c in recorder.rig.cameras]
    tables["calibrated_sensor"] = [
        {
            "token": recorder.token("calibrated_sensor", channel),
            "sensor_token": token("sensor", channel),
            **pose_fields(T),
            "camera_intrinsic": K,
        }
        for channel, T, K in mounts
    ]


def compile_kernels() -> None:
    """Run every kernel once on little, so that processes started afterwards find them compiled."""
    config = SimulateConfig(seconds=0.5, width_px=16, height_px=16)
    world, rig = make_world(config, 0), make_rig(np.random.default_rng(0), width_px=16, height_px=16)
    spin(world, rig, 0.0, np.random.default_rng(0))
    expose(world, rig.cameras[0], shadow_map(world, 0.0), 0.0, width_px=16, height_px=16)
