"""Labelled points of a scene: nuScenes lidarseg, or what a network said of every point."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.timing import EgoPath, point_times, to_global
from densegt.datasets.scene import Scene, Sweep
from densegt.depth.point_votes import NO_CLASS, read_votes
from densegt.errors import InputError
from densegt.motion_net.classes import class_of_category
from densegt.occupancy.classes import UNKNOWN, ClassifiedPoints, code_of_index

Codes = NDArray[np.uint8]
# The codes of a sweep's points, so many; None where it has none.
Labels = Callable[[Sweep, int], Codes | None]


def lidarseg_points(root: Path, scene: Scene) -> ClassifiedPoints | None:
    """The keyframes' points with their classes; None where the recording has no lidarseg.

    Raises:
        InputError: a file of it is missing, or has another number of points than its sweep.
    """
    table = next(iter(sorted(root.glob("v1.0-*/lidarseg.json"))), None)
    if table is None:
        return None
    files = {row["sample_data_token"]: root / row["filename"] for row in _rows(table)}
    of_index = np.zeros(256, np.uint8)
    for row in _rows(table.with_name("category.json")):
        if isinstance(row.get("index"), int) and 0 <= row["index"] < len(of_index):
            of_index[row["index"]] = code_of_index(class_of_category(row["name"]))

    def labels(sweep: Sweep, count: int) -> Codes | None:
        if sweep.token not in files:
            return None
        path = files[sweep.token]
        found = np.fromfile(path, np.uint8) if path.is_file() else np.zeros(0, np.uint8)
        if len(found) != count:
            raise InputError(f"{path}: {len(found)} classes, the sweep has {count} points; unpack lidarseg again")
        return of_index[found]

    return labelled_points(scene, labels)


def voted_points(votes: Path, scene: Scene) -> ClassifiedPoints:
    """Points of the keyframes' sweeps with the classes that `densegt predict-motion` gave them.

    Raises:
        InputError: there are no votes of this scene, or of other points.
    """
    path = votes / f"{scene.name}.h5"

    def labels(sweep: Sweep, count: int) -> Codes | None:
        kind = read_votes(path, sweep.lidar.channel, sweep.timestamp_us, count).kind
        return np.where(kind == NO_CLASS, UNKNOWN, kind + 1).astype(np.uint8)

    return labelled_points(scene, labels)


def labelled_points(scene: Scene, labels: Labels) -> ClassifiedPoints:
    """Points of the keyframes' sweeps that have labels.

    Args:
        labels: called with each sweep and how many points it has.
    """
    return _gathered(_labelled(scene, labels))


def _labelled(scene: Scene, labels: Labels) -> Iterator[tuple[NDArray[np.float64], Codes, int]]:
    """Points in global, their codes, and the stamp, of each keyframe's sweep that has labels."""
    path = EgoPath.of(scene)
    for sweep in scene.sweeps:
        if not sweep.is_keyframe:
            continue
        points = scene.read_points(sweep)
        code = labels(sweep, len(points.ring))
        if code is None:
            continue
        known = np.flatnonzero(code != UNKNOWN)
        xyz = to_global(points.xyz_lidar, sweep, point_times(points, sweep), path)
        yield xyz[known], code[known], sweep.timestamp_us


def _gathered(parts: Iterator[tuple[NDArray[np.float64], Codes, int]]) -> ClassifiedPoints:
    xyz, code, stamp_us = [np.zeros((0, 3))], [np.zeros(0, np.uint8)], [np.zeros(0, np.int64)]
    for places, codes, at_us in parts:
        xyz.append(places)
        code.append(codes)
        stamp_us.append(np.full(len(codes), at_us, np.int64))
    return ClassifiedPoints(np.concatenate(xyz), np.concatenate(code), np.concatenate(stamp_us))


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        rows: list[dict[str, Any]] = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error})") from None
    return rows
