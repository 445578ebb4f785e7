"""A recording: drive through one scene's world and write its sweeps, pictures, exact depth and table rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from densegt.datasets.scene import Camera
from densegt.depth.steps import encode_depth
from densegt.depth.store import SceneWriter
from densegt.simulate.config import SimulateConfig
from densegt.simulate.drive import CameraMount, Exposure, Street, SweepReturns
from densegt.simulate.writer.annotations import Sighting, annotate, instance_token
from densegt.simulate.writer.drift import make_drift
from densegt.simulate.writer.recorder import Recorder, add_scene
from densegt.simulate.writer.tables import Row, Tables, chain, empty_tables
from densegt.simulate.writer.visibility import visible_share

FIRST_US = 1_600_000_000_000_000
JPEG_QUALITY = 92


def scene_name(index: int) -> str:
    """scene-0001 for index 0."""
    return f"scene-{index + 1:04d}"


def record_scene(street: Street, config: SimulateConfig, index: int, folder: Path, tick: Callable[[], None]) -> Tables:
    """Simulate one scene into the folder; `tick` is called after every sweep. Returns its rows of the tables."""
    recorder = make_recorder(street, config, index, folder)
    tables = empty_tables()
    keyframes, sightings = [], []
    with SceneWriter(folder / "exact", recorder.scene, store_config(recorder, street, index)) as store:
        for k in range(recorder.sweeps):
            stamp_us = recorder.start_us + k * recorder.sweep_us
            noise = np.random.default_rng([config.seed, index, 0x11DA, k])
            returns = recorder.drive.spin(recorder.seconds(stamp_us), noise)
            is_keyframe = k % recorder.keyframe_every == 0
            _write_sweep(recorder, tables, returns, k, is_keyframe)
            if is_keyframe:
                sample_token = recorder.token("sample", k // recorder.keyframe_every)
                exposures = recorder.drive.expose(recorder.seconds(stamp_us))
                for mount, exposure in zip(recorder.drive.rig.cameras, exposures, strict=True):
                    _write_image(recorder, tables, store, mount, exposure, k)
                keyframes.append({"token": sample_token, "timestamp": stamp_us, "scene_token": recorder.token("scene")})
                sightings.append(_sighting(recorder, sample_token, recorder.seconds(stamp_us), returns, exposures))
            tick()
    _write_paths(recorder)
    tables["sample"] = chain(keyframes)
    tables["sample_data"] = _chain_channels(tables["sample_data"])
    tables["instance"], tables["sample_annotation"] = annotate(recorder.drive, recorder.scene, config, sightings)
    add_scene(recorder, tables)
    return tables


def make_recorder(street: Street, config: SimulateConfig, index: int, folder: Path) -> Recorder:
    """A scene's world, its recording car and where it writes to; the same for the same street and configuration."""
    rng = np.random.default_rng([config.seed, index, 0x516])
    return Recorder(
        config=config,
        scene=scene_name(index),
        start_us=FIRST_US + index * 3_600_000_000 + int(rng.integers(1_000_000)),
        sweep_us=street.sweep_us(config, index),
        folder=folder,
        drive=street.drive(config, index, rng),
        drift=make_drift(rng, config.pose_noise_m, config.seconds),
    )


def store_config(recorder: Recorder, street: Street, index: int) -> dict[str, Any]:
    """What the exact store says about how it was made, and what its object ids and kinds mean."""
    config = recorder.config
    objects = [
        {
            "id": i + 1,
            "category": thing.category,
            "token": instance_token(recorder.scene, config.seed, i) if thing.labelled else None,
            "moving": thing.moving,
            "labelled": thing.labelled,
        }
        for i, thing in enumerate(recorder.drive.things)
    ]
    described = street.described(config, index)
    return {"simulate": config.described(), "objects": objects, "kinds": dict(street.kinds), **described}


def _write_sweep(recorder: Recorder, tables: Tables, returns: SweepReturns, sweep: int, is_keyframe: bool) -> None:
    stamp_us = recorder.start_us + sweep * recorder.sweep_us
    row = recorder.add_reading(tables, "LIDAR_TOP", stamp_us, sweep, is_keyframe=is_keyframe, size_px=(0, 0))
    path = recorder.folder / str(row["filename"])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(returns.points.astype("<f4").tobytes())
    if returns.exact:
        beside = recorder.folder / "exact" / "lidar" / recorder.scene / f"{stamp_us}.npz"
        beside.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(beside, **returns.exact)


def _write_paths(recorder: Recorder) -> None:
    """Write where every thing truly is at each stamp of a sweep, labelled or not: as row k that of object id k + 1."""
    stamps_us = recorder.start_us + np.arange(recorder.sweeps, dtype=np.int64) * recorder.sweep_us
    at_s = (stamps_us - recorder.start_us) * 1e-6
    drive = recorder.drive
    poses = [drive.T_global_world @ thing.T_world_box(at_s) for thing in drive.things]
    path = recorder.folder / "exact" / "objects" / f"{recorder.scene}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        path,
        timestamps_us=stamps_us,
        size_lwh_m=np.array([thing.size_lwh_m for thing in drive.things]).reshape(-1, 3),
        T_global_box=np.array(poses).reshape(-1, len(stamps_us), 4, 4),
    )


def _write_image(
    recorder: Recorder, tables: Tables, store: SceneWriter, mount: CameraMount, exposure: Exposure, sweep: int
) -> None:
    """Write and store one keyframe picture."""
    height_px, width_px = exposure.depth_m.shape
    timestamp_us = recorder.start_us + sweep * recorder.sweep_us - round(mount.before_stamp_s * 1e6)
    row = recorder.add_reading(
        tables, mount.channel, timestamp_us, sweep, is_keyframe=True, size_px=(width_px, height_px)
    )
    path = recorder.folder / str(row["filename"])
    path.parent.mkdir(parents=True, exist_ok=True)
    bgr = np.ascontiguousarray(exposure.rgb[..., ::-1])
    # OpenCV itself is silent on a full disk.
    path.write_bytes(cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes())
    camera = Camera(
        token=row["token"],
        sample_token=row["sample_token"],
        channel=mount.channel,
        image_path=path,
        filename=row["filename"],
        width_px=width_px,
        height_px=height_px,
        timestamp_us=timestamp_us,
        K=mount.K,
        T_ego_cam=mount.T_ego_cam,
        T_global_ego=recorder.T_global_ego(timestamp_us),
    )
    steps = encode_depth(exposure.depth_m)
    layers: dict[str, NDArray[Any]] = {
        "depth": steps,
        "source": (steps > 0).astype(np.uint8),
        "object_id": exposure.object_id,
        "kind": exposure.kind,
    }
    store.write_layers(camera, {**layers, **exposure.layers})


def _sighting(
    recorder: Recorder, sample_token: str, t_s: float, returns: SweepReturns, exposures: list[Exposure]
) -> Sighting:
    points = np.bincount(returns.object_id, minlength=len(recorder.drive.things) + 1)[1:]
    return Sighting(sample_token, t_s, points, visible_share(recorder.drive, t_s, exposures))


def _chain_channels(rows: list[Row]) -> list[Row]:
    by_channel: dict[str, list[Row]] = {}
    for row in rows:
        by_channel.setdefault(row["calibrated_sensor_token"], []).append(row)
    return [row for channel in by_channel.values() for row in chain(channel)]
