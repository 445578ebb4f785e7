"""Damage done to a folder's files at random, and what a reader must do then: work, or say one line."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.scene_input import read_scene
from densegt.datasets import open_recording
from densegt.datasets.scene import Points, Scene, Sweep
from densegt.errors import InputError

# DENSEGT_MUTATIONS=1000 for the long run.
MUTATIONS = int(os.environ.get("DENSEGT_MUTATIONS", "60"))

WORDS = [b"nan", b"-1", b"1e999", b"", b"0", b"99999999999999999999", b"\xff\xfe", b"[]", b"{", b"null", b"a,b", b"\n"]


def small(dataset: Path) -> Scene:
    """The first three sweeps of the first scene, a twentieth of their points, and the cameras of the first keyframe."""
    recording = open_recording(dataset)
    scene = read_scene(recording, recording.scene_names[0], AccumulateConfig())

    def read(sweep: Sweep) -> Points:
        points = recording.read_points(sweep)
        return points.take(np.arange(0, len(points.ring), 20))

    first = scene.sweeps[0].sample_token
    tracks = tuple(
        replace(track, timestamps_us=track.timestamps_us[:1], T_global_box=track.T_global_box[:1])
        for track in scene.tracks
        if track.timestamps_us[0] == scene.sweeps[0].timestamp_us
    )
    cameras = tuple(camera for camera in scene.cameras if camera.sample_token == first)
    return replace(scene, sweeps=scene.sweeps[:3], cameras=cameras, tracks=tracks, read_points=read)


def survive(write: Callable[[Scene, Path], None], dataset: Path, folder: Path, format: str) -> int:
    """How many of the mutations a format's reader refuses, each in one line; whatever else it raises goes through."""
    write(small(dataset), folder / "whole")
    assert not _read_all(folder / "whole", format)
    return sum(_refuses(folder, format, seed) for seed in range(MUTATIONS))


def _refuses(folder: Path, format: str, seed: int) -> bool:
    root = folder / "damaged"
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(folder / "whole", root)
    rng = np.random.default_rng(seed)
    files = sorted(path for path in root.rglob("*") if path.is_file())
    # Tables are few among the images and sweeps, and say most.
    tables = [path for path in files if path.suffix in (".yaml", ".csv") or "sensors" not in path.parts]
    among = tables if rng.random() < 0.6 else files
    damage(among[rng.integers(len(among))], rng)
    return _read_all(root, format)


def _read_all(root: Path, format: str) -> bool:
    """Whether a reader refuses; InputError of more or less than one line fails."""
    try:
        recording = open_recording(root, format=format)
        for name in recording.scene_names:
            scene = recording.scene(name)
            recording.keyframes(name)
            for sweep in scene.sweeps:
                scene.read_points(sweep)
            counts = recording.steps(name), recording.keyframe_count(name), recording.point_count(name)
            assert min(counts) >= 0
            recording.fingerprint(name)
    except InputError as error:
        said = str(error)
    else:
        return False
    assert 0 < len(said) < 2000
    assert "\n" not in said
    return True


def damage(path: Path, rng: np.random.Generator) -> None:
    """One of: bytes changed, cut off, something written between, a part repeated, emptied, gone, a folder instead."""
    data = bytearray(path.read_bytes())
    at = int(rng.integers(len(data) + 1))
    kind = rng.integers(9)
    if kind in (0, 1):
        for _ in range(int(rng.integers(1, 6))):
            data[int(rng.integers(len(data)))] = int(rng.integers(256))
    elif kind == 2:
        del data[at:]
    elif kind in (3, 4):
        data[at:at] = WORDS[rng.integers(len(WORDS))]
    elif kind == 5:
        word = WORDS[rng.integers(len(WORDS))]
        data[at : at + int(rng.integers(1, 20))] = word
    elif kind == 6:
        data += data[at:]
    elif kind == 7:
        data = bytearray()
    if kind == 8:
        path.unlink()
        if rng.random() < 0.5:
            path.mkdir()
    else:
        path.write_bytes(bytes(data))
