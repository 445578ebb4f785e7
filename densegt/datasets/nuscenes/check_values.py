"""Are the tables' values possible? Poses, boxes, cameras, time stamps, and how fast the car would have to be."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from densegt.datasets.file_names import can_name_file
from densegt.datasets.nuscenes.check_relations import CHAINED
from densegt.datasets.nuscenes.findings import Finding, RowsByTable
from densegt.datasets.nuscenes.rows import SampleDataRow
from densegt.datasets.nuscenes.time_units import Stamps, unit_problem

MAX_SPEED_M_S = 100.0
UNIT_TOLERANCE = 1e-3
# A keyframe's sensors fire within one turn of the lidar; what is a second off belongs to another keyframe.
MAX_KEYFRAME_OFFSET_US = 1_000_000


def values(tables: RowsByTable) -> Iterator[Finding]:
    """Everything that is wrong with values."""
    for table in ("ego_pose", "calibrated_sensor", "sample_annotation"):
        yield from poses(tables, table)
    yield from boxes(tables)
    yield from intrinsics(tables)
    yield from names(tables)
    by_channel = sample_data_by_channel(tables)
    yield from scenes(tables)
    yield from stamps(tables)
    wrong_units = list(units(tables))
    yield from wrong_units
    # In another unit every row would be too fast, or too far off its sample.
    if not wrong_units:
        yield from keyframe_offsets(tables)
        yield from equal_stamps(tables, by_channel)
        yield from jumps(tables, by_channel)


def poses(tables: RowsByTable, table: str) -> Iterator[Finding]:
    """Rotations that are no unit quaternions, translations that are no places."""
    for row in tables[table]:
        if not _are_finite(row.rotation, 4) or not _are_finite(row.translation, 3):
            what = f"rotation {row.rotation}, translation {row.translation} are not 4 and 3 finite numbers"
        elif abs(math.hypot(*row.rotation) - 1) > UNIT_TOLERANCE:
            what = f"rotation {row.rotation} has length {math.hypot(*row.rotation):.4g}, not 1"
        else:
            continue
        yield Finding("pose", tables.where(table), f"row {row.token}: {what}")


def boxes(tables: RowsByTable) -> Iterator[Finding]:
    """Annotations whose size is none."""
    for row in tables["sample_annotation"]:
        if not _are_finite(row.size, 3) or min(row.size) <= 0:
            what = f"row {row.token}: size {row.size} is not 3 positive numbers"
            yield Finding("box", tables.where("sample_annotation"), what)


def intrinsics(tables: RowsByTable) -> Iterator[Finding]:
    """Cameras without a possible camera_intrinsic."""
    kinds = tables.kinds()
    for row in tables["calibrated_sensor"]:
        if kinds[row.token] == "camera" and not _is_intrinsic(row.camera_intrinsic or []):
            what = f"row {row.token}: camera_intrinsic {row.camera_intrinsic} is not 3x3 with positive focal lengths"
            yield Finding("camera", tables.where("calibrated_sensor"), what)


def names(tables: RowsByTable) -> Iterator[Finding]:
    """Tokens of samples and channels of sensors that cannot name an image's depth in a store."""
    for table, field in (("sample", "token"), ("sensor", "channel")):
        for row in tables[table]:
            if not can_name_file(getattr(row, field)):
                what = f"row {row.token!r}: {field} {getattr(row, field)!r} cannot name an image's depth"
                yield Finding("name", tables.where(table), what)


def units(tables: RowsByTable) -> Iterator[Finding]:
    """Tables whose stamps are in another unit; the first scene that shows it."""
    kinds, samples = tables.kinds(), tables.by_token("sample")
    by_scene = defaultdict(list)
    for row in tables["sample_data"]:
        if kinds.get(row.calibrated_sensor_token) == "lidar" and row.sample_token in samples:
            by_scene[samples[row.sample_token].scene_token].append(row)
    names = {row.token: row.name for row in tables["scene"]}
    for scene, rows in by_scene.items():
        _, lidar = np.unique([row.calibrated_sensor_token for row in rows], return_inverse=True)
        wrong = unit_problem(
            Stamps(
                sweep_us=np.array([row.timestamp for row in rows], dtype=np.int64),
                sample_us=np.array([samples[row.sample_token].timestamp for row in rows], dtype=np.int64),
                lidar=lidar,
                is_keyframe=np.array([row.is_key_frame for row in rows], dtype=np.bool_),
            )
        )
        if wrong is not None:
            yield Finding("time", tables.where(wrong[0]), f"scene {names.get(scene, scene)}: {wrong[1]}")
            return


def stamps(tables: RowsByTable) -> Iterator[Finding]:
    """Rows that are not later than the one their chain names before them."""
    stamp_of_sample = {row.token: row.timestamp for row in tables["sample"]}
    for table in CHAINED:
        by_token = tables.by_token(table)
        for row in tables[table]:
            later = by_token.get(row.next)
            if later is None or later is row:
                continue
            if table == "sample_annotation":
                t_us, later_us = stamp_of_sample.get(row.sample_token), stamp_of_sample.get(later.sample_token)
            else:
                t_us, later_us = row.timestamp, later.timestamp
            if t_us is not None and later_us is not None and later_us <= t_us:
                what = f"row {later.token}: at {later_us} us, not after {row.token} at {t_us} us"
                yield Finding("time", tables.where(table), what)


def keyframe_offsets(tables: RowsByTable) -> Iterator[Finding]:
    """Keyframe sensor data that is far off its sample in time."""
    samples = tables.by_token("sample")
    for row in tables["sample_data"]:
        sample = samples.get(row.sample_token)
        if row.is_key_frame and sample and abs(row.timestamp - sample.timestamp) > MAX_KEYFRAME_OFFSET_US:
            off_s = (row.timestamp - sample.timestamp) * 1e-6
            yield Finding("time", tables.where("sample_data"), f"row {row.token}: {off_s:+.3f} s off its sample")


def sample_data_by_channel(tables: RowsByTable) -> dict[tuple[str, str], list[SampleDataRow]]:
    """Rows of sample_data by (scene token, channel), in order of time; rows with dangling tokens are left out."""
    scene_of = {row.token: row.scene_token for row in tables["sample"]}
    sensors = tables.by_token("sensor")
    channel_of = {
        row.token: sensors[row.sensor_token].channel
        for row in tables["calibrated_sensor"]
        if row.sensor_token in sensors
    }
    by_channel = defaultdict(list)
    for row in tables["sample_data"]:
        if row.sample_token in scene_of and row.calibrated_sensor_token in channel_of:
            by_channel[scene_of[row.sample_token], channel_of[row.calibrated_sensor_token]].append(row)
    for rows in by_channel.values():
        rows.sort(key=lambda row: row.timestamp)
    return dict(by_channel)


def equal_stamps(tables: RowsByTable, by_channel: dict[tuple[str, str], list[SampleDataRow]]) -> Iterator[Finding]:
    """Two rows of one channel at one time, where no chain says so already."""
    for (_, channel), rows in by_channel.items():
        for row, later in pairwise(rows):
            if later.timestamp == row.timestamp and later.token not in (row.next, row.prev):
                what = f"row {later.token}: at {row.timestamp} us, like {row.token} of the same {channel}"
                yield Finding("time", tables.where("sample_data"), what)


def jumps(tables: RowsByTable, by_channel: dict[tuple[str, str], list[SampleDataRow]]) -> Iterator[Finding]:
    """Ego poses of one channel that no car could pass one after the other, each named once."""
    poses = tables.by_token("ego_pose")
    found = set()
    for (_, channel), rows in by_channel.items():
        with_pose = [row for row in rows if row.ego_pose_token in poses]
        for row, later in pairwise(with_pose):
            pair = poses[row.ego_pose_token].translation, poses[later.ego_pose_token].translation
            seconds = (later.timestamp - row.timestamp) * 1e-6
            if seconds <= 0 or not all(_are_finite(place, 3) for place in pair):
                continue
            metres = math.dist(*pair)
            if metres > MAX_SPEED_M_S * seconds and later.ego_pose_token not in found:
                found.add(later.ego_pose_token)
                what = f"row {later.ego_pose_token}: {metres:.1f} m from where {channel} was {seconds:.3f} s before"
                yield Finding("pose", tables.where("ego_pose"), what)


def scenes(tables: RowsByTable) -> Iterator[Finding]:
    """Scenes without a usable name or without lidar."""
    names = [row.name for row in tables["scene"]]
    kinds, scene_of = tables.kinds(), {row.token: row.scene_token for row in tables["sample"]}
    with_lidar = {
        scene_of.get(row.sample_token)
        for row in tables["sample_data"]
        if kinds.get(row.calibrated_sensor_token) == "lidar"
    }
    resolvable = all(table in tables for table in ("sample", "sensor", "calibrated_sensor", "sample_data"))
    for row in tables["scene"]:
        if not can_name_file(row.name) or names.count(row.name) > 1:
            yield Finding("scene", tables.where("scene"), f"row {row.token}: the name {row.name!r} is not its own")
        if resolvable and row.token not in with_lidar:
            yield Finding("scene", tables.where("scene"), f"{row.name!r} has no lidar sweep")


def _are_finite(numbers: Sequence[float], count: int) -> bool:
    return len(numbers) == count and all(map(math.isfinite, numbers))


def _is_intrinsic(K: list[list[float]]) -> bool:
    return len(K) == 3 and all(_are_finite(line, 3) for line in K) and K[0][0] > 0 and K[1][1] > 0
