"""Writes nuScenes tables as large as trainval's: invented rows, of the length and number of the real ones.

The first scene's sweeps and images are there too (one of each, linked), so that it can be opened.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

VERSION = "v1.0-trainval"
SCENES = 850
# trainval has 34,149 samples, 2,631,083 rows of sample_data and 1,166,187 boxes in its 850 scenes; here are no fewer.
SAMPLES, SCENES_WITH_ONE_MORE = 40, 149
ROWS_OF = {"LIDAR": 390, "CAM": 240, "RADAR": 254}
INSTANCES, BOXES_OF_INSTANCE = 77, 18
CHANNELS = (
    "LIDAR_TOP",
    *(f"CAM_{side}" for side in ("FRONT", "FRONT_LEFT", "FRONT_RIGHT", "BACK", "BACK_LEFT", "BACK_RIGHT")),
    *(f"RADAR_{side}" for side in ("FRONT", "FRONT_LEFT", "FRONT_RIGHT", "BACK_LEFT", "BACK_RIGHT")),
)
SCENE_US = 20_000_000
WIDTH_PX, HEIGHT_PX = 1600, 900
SUFFIX = {"LIDAR": ".pcd.bin", "CAM": ".jpg", "RADAR": ".pcd"}
K = [[1266.4, 0.0, 816.3], [0.0, 1266.4, 491.5], [0.0, 0.0, 1.0]]


class Writer:
    """Tables written row by row, in the layout of the published ones (a field a line)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = {}
        self.rows: dict[str, int] = {}

    def add(self, table: str, row: str) -> None:
        """Add one row, given as JSON."""
        if table not in self.files:
            self.files[table] = (self.folder / f"{table}.json").open("w")
            self.rows[table] = 0
        self.files[table].write(("[\n" if not self.rows[table] else ",\n") + row)
        self.rows[table] += 1

    def close(self) -> None:
        """End every table."""
        for file in self.files.values():
            file.write("\n]")
            file.close()


def write(dataroot: Path, scenes: int = SCENES, seed: int = 0) -> dict[str, int]:
    """Write a dataset; gives the number of rows by table."""
    draw = random.Random(seed)
    folder = dataroot / VERSION
    folder.mkdir(parents=True)
    tables = Writer(folder)
    common = _common(tables, draw, dataroot)
    for number in range(scenes):
        _scene(tables, draw, number, common)
    tables.close()
    _files(dataroot)
    return tables.rows


def _common(tables: Writer, draw: random.Random, dataroot: Path) -> dict[str, list[str]]:
    sensors = [_token(draw) for _ in CHANNELS]
    for sensor, channel in zip(sensors, CHANNELS, strict=True):
        modality = {"LIDAR": "lidar", "CAM": "camera", "RADAR": "radar"}[channel.split("_")[0]]
        tables.add("sensor", _json(token=sensor, channel=channel, modality=modality))
    categories = [_token(draw) for _ in range(23)]
    for number, category in enumerate(categories):
        tables.add("category", _json(token=category, name=f"vehicle.kind{number}", description="", index=number))
    attribute, log = _token(draw), _token(draw)
    tables.add("attribute", _json(token=attribute, name="vehicle.moving", description=""))
    for level in "1234":
        tables.add("visibility", _json(token=level, level=f"v{level}", description=""))
    tables.add("log", _json(token=log, logfile="", vehicle="n015", date_captured="2018-07-24", location="nowhere"))
    (dataroot / "maps").mkdir()
    cv2.imwrite(str(dataroot / "maps" / "map.png"), np.zeros((4, 4), np.uint8))
    row = _json(token=_token(draw), category="semantic_prior", filename="maps/map.png", log_tokens=[log])
    tables.add("map", row)
    return {"sensors": sensors, "categories": categories, "attribute": [attribute], "log": [log]}


def _scene(tables: Writer, draw: random.Random, number: int, common: dict[str, list[str]]) -> None:
    scene, start_us = _token(draw), 1_532_402_900_000_000 + number * 60_000_000
    samples = [_token(draw) for _ in range(SAMPLES + (number < SCENES_WITH_ONE_MORE))]
    tables.add(
        "scene",
        _json(
            token=scene, log_token=common["log"][0], nbr_samples=len(samples), first_sample_token=samples[0],
            last_sample_token=samples[-1], name=f"scene-{number + 1:04d}", description="invented",
        ),
    )  # fmt: skip
    stamps_us = [start_us + i * SCENE_US // len(samples) for i in range(len(samples))]
    for sample, stamp_us, (before, after) in zip(samples, stamps_us, _neighbours(samples), strict=True):
        tables.add("sample", _json(token=sample, timestamp=stamp_us, prev=before, next=after, scene_token=scene))
    _sensor_data(tables, draw, start_us, samples, common["sensors"])
    for _ in range(INSTANCES):
        _instance(tables, draw, samples, common)


def _sensor_data(tables: Writer, draw: random.Random, start_us: int, samples: list[str], sensors: list[str]) -> None:
    data, poses = [], []
    for channel, sensor in zip(CHANNELS, sensors, strict=True):
        kind = channel.split("_")[0]
        calibration = _token(draw)
        tables.add(
            "calibrated_sensor",
            _json(
                token=calibration, sensor_token=sensor, translation=[0.94, 0.0, 1.84],
                rotation=[0.5, -0.5, 0.5, -0.5] if kind == "CAM" else [1.0, 0.0, 0.0, 0.0],
                camera_intrinsic=K if kind == "CAM" else [],
            ),
        )  # fmt: skip
        count = ROWS_OF[kind]
        tokens = [_token(draw) for _ in range(count)]
        keyframes = {i * count // len(samples) for i in range(len(samples))}
        width, height = (WIDTH_PX, HEIGHT_PX) if kind == "CAM" else (0, 0)
        for i, (token, (before, after)) in enumerate(zip(tokens, _neighbours(tokens), strict=True)):
            stamp_us, is_key = start_us + i * SCENE_US // count, i in keyframes
            name = f"n015-2018-07-24-11-22-45+0800__{channel}__{stamp_us}{SUFFIX[kind]}"
            data.append(
                f'{{\n"token": "{token}",\n"sample_token": "{samples[i * len(samples) // count]}",\n'
                f'"ego_pose_token": "{token}",\n"calibrated_sensor_token": "{calibration}",\n"timestamp": {stamp_us},\n'
                f'"fileformat": "{"jpg" if kind == "CAM" else "pcd"}",\n"is_key_frame": {str(is_key).lower()},\n'
                f'"height": {height},\n"width": {width},\n'
                f'"filename": "{"samples" if is_key else "sweeps"}/{channel}/{name}",\n'
                f'"prev": "{before}",\n"next": "{after}"\n}}'
            )
            yaw = 1e-3 * i + draw.random() * 1e-6
            poses.append(
                f'{{\n"token": "{token}",\n"timestamp": {stamp_us},\n"rotation": [\n{np.cos(yaw)!r},\n'
                f"{draw.random() * 1e-9!r},\n{draw.random() * 1e-9!r},\n{np.sin(yaw)!r}\n],\n"
                f'"translation": [\n{411.3 + 1e-7 * (stamp_us - start_us) + draw.random() * 1e-6!r},\n'
                f"{1180.89 + draw.random() * 1e-3!r},\n0.0\n]\n}}"
            )
    draw.shuffle(data)
    draw.shuffle(poses)
    for row in data:
        tables.add("sample_data", row)
    for row in poses:
        tables.add("ego_pose", row)


def _instance(tables: Writer, draw: random.Random, samples: list[str], common: dict[str, list[str]]) -> None:
    instance, first = _token(draw), draw.randrange(len(samples) - BOXES_OF_INSTANCE)
    tokens = [_token(draw) for _ in range(BOXES_OF_INSTANCE)]
    x_m, y_m = 411.3 + draw.uniform(-60, 60), 1180.89 + draw.uniform(-60, 60)
    tables.add(
        "instance",
        _json(
            token=instance, category_token=draw.choice(common["categories"]), nbr_annotations=BOXES_OF_INSTANCE,
            first_annotation_token=tokens[0], last_annotation_token=tokens[-1],
        ),
    )  # fmt: skip
    for i, (token, (before, after)) in enumerate(zip(tokens, _neighbours(tokens), strict=True)):
        tables.add(
            "sample_annotation",
            f'{{\n"token": "{token}",\n"sample_token": "{samples[first + i]}",\n"instance_token": "{instance}",\n'
            f'"visibility_token": "4",\n"attribute_tokens": [\n"{common["attribute"][0]}"\n],\n'
            f'"translation": [\n{x_m + 0.4 * i:.3f},\n{y_m:.3f},\n0.98\n],\n"size": [\n1.642,\n4.246,\n1.618\n],\n'
            f'"rotation": [\n{np.cos(0.3)!r},\n0.0,\n0.0,\n{np.sin(0.3)!r}\n],\n"prev": "{before}",\n'
            f'"next": "{after}",\n"num_lidar_pts": 12,\n"num_radar_pts": 1\n}}',
        )


def _files(dataroot: Path) -> None:
    """The first scene's sweeps and images: one of each, linked under every name."""
    turn = np.linspace(0, -2 * np.pi, 1085)[None, :].repeat(32, 0)
    ring = np.arange(32)[:, None].repeat(1085, 1)
    xyz = np.stack([20 * np.cos(turn), 20 * np.sin(turn), 0.2 * ring - 3.0], axis=-1)
    sweep = np.concatenate([xyz, np.full((32, 1085, 1), 9.0), ring[..., None]], axis=-1).astype("<f4")
    originals = {".pcd.bin": dataroot / "one.pcd.bin", ".jpg": dataroot / "one.jpg"}
    sweep.tofile(originals[".pcd.bin"])
    cv2.imwrite(str(originals[".jpg"]), np.zeros((HEIGHT_PX, WIDTH_PX, 3), np.uint8))
    for name in _names_of_first_scene(dataroot / VERSION / "sample_data.json"):
        for suffix, original in originals.items():
            if name.endswith(suffix):
                path = dataroot / name
                path.parent.mkdir(parents=True, exist_ok=True)
                os.link(original, path)


def _names_of_first_scene(table: Path) -> Iterator[str]:
    with table.open() as file:
        names = (line for line in file if line.startswith('"filename"'))
        for _ in range(sum(ROWS_OF[channel.split("_")[0]] for channel in CHANNELS)):
            yield next(names).split('"')[3]


def _token(draw: random.Random) -> str:
    return f"{draw.getrandbits(128):032x}"


def _neighbours(tokens: list[str]) -> list[tuple[str, str]]:
    return list(zip(["", *tokens[:-1]], [*tokens[1:], ""], strict=True))


def _json(**fields: object) -> str:
    return json.dumps(fields, indent=0)
