"""Labels that the simulator wrote beside each sweep: whose each point is, and where every object truly was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.config import AccumulateConfig
from densegt.datasets.scene import Scene
from densegt.depth.point_votes import NO_CLASS
from densegt.depth.store import SceneReader
from densegt.errors import InputError
from densegt.motion_net.classes import class_of_category, class_of_simulated
from densegt.motion_net.labels.point_labels import PointLabels, moving_by_speed
from densegt.motion_net.scans import SceneScans

_FIX = "densegt simulate writes it; for recordings there is --labels boxes or auto"


def exact_labels(root: Path, scene: Scene, scans: SceneScans, config: AccumulateConfig) -> PointLabels:
    """Of a simulated scene.

    Raises:
        InputError: nothing exact lies beside the recording, or of other sweeps.
    """
    told = SceneReader(_there(root / "exact" / f"{scene.name}.h5")).config
    paths = _arrays(_there(root / "exact" / "objects" / f"{scene.name}.npz"))
    stamps_us = paths["timestamps_us"]
    middle, speed = paths["T_global_box"][:, :, :2, 3] - scans.origin_global_m[:2], _speeds(paths)
    of_object = np.array([NO_CLASS, *(class_of_category(o["category"]) for o in told["objects"])], dtype=np.uint8)
    of_semantic = np.full(256, NO_CLASS, dtype=np.uint8)
    for name, code in told.get("classes", {}).items():
        of_semantic[code] = class_of_simulated(name)
    out = PointLabels.nothing(len(scans.xyz), moving=0)
    for k, sweep in enumerate(scans.sweeps):
        path = _there(root / "exact" / "lidar" / scene.name / f"{sweep.timestamp_us}.npz")
        told_of = _arrays(path)
        here = slice(int(scans.first[k]), int(scans.first[k + 1]))
        if len(told_of["object_id"]) != scans.count[k]:
            raise InputError(f"{path}: of {len(told_of['object_id'])} points, the sweep has {scans.count[k]}")
        rows = scans.row[here]
        thing = told_of["object_id"][rows].astype(np.int32)
        column = int(np.abs(stamps_us - sweep.timestamp_us).argmin())
        since_s = (scans.time_s[here] - (sweep.timestamp_us - scans.start_us) * 1e-6)[:, None]
        of = np.maximum(thing - 1, 0)
        velocity = speed[of, column]
        out.thing[here] = thing
        on = thing > 0
        out.speed_mps[here] = np.where(on, np.linalg.norm(velocity, axis=1), 0)
        out.moving[here] = moving_by_speed(out.speed_mps[here])
        out.centre[here] = np.where(on[:, None], middle[of, column] + since_s * velocity, np.nan)
        kind = of_semantic[told_of["semantic"][rows]] if "semantic" in told_of else np.full(len(rows), NO_CLASS)
        out.kind[here] = np.where(on & (of_object[thing] != NO_CLASS), of_object[thing], kind)
    return out


def _speeds(paths: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """Velocities (K,M,2) m/s."""
    at_s = (paths["timestamps_us"] - paths["timestamps_us"][0]) * 1e-6
    xy = paths["T_global_box"][:, :, :2, 3]
    out: NDArray[np.float64] = np.gradient(xy, at_s, axis=1) if len(at_s) > 1 else np.zeros_like(xy)
    return out if len(out) else np.zeros((1, len(at_s), 2))


def _there(path: Path) -> Path:
    if not path.is_file():
        raise InputError(f"{path}: no such file; {_FIX}")
    return path


def _arrays(path: Path) -> dict[str, NDArray[np.float64]]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path}: cannot be read ({error}); simulate the world again") from None
