"""Scenes and images of a store by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from densegt.datasets.recording import some
from densegt.depth.store import SceneReader, scene_files
from densegt.errors import InputError


def select_scenes(store: Path, names: Sequence[str]) -> list[Path]:
    """Files of the scenes asked for, each once; all of the store where none is named.

    Raises:
        InputError: no store, or no scene of that name in it.
    """
    paths = {path.stem: path for path in scene_files(store)}
    for name in names:
        if name not in paths:
            raise InputError(f"{store}: no scene {name!r}; there is {some(list(paths), 3)}")
    return [paths[name] for name in dict.fromkeys(names)] or list(paths.values())


def select_images(reader: SceneReader, cameras: Sequence[str]) -> list[tuple[str, str]]:
    """(sample token, channel) of a scene's images from these cameras, all where none is named; in order of time.

    Raises:
        InputError: no image, or no camera of that name in it.
    """
    channels = sorted({channel for _, channel in reader.keys})
    for camera in cameras:
        if camera not in channels:
            raise InputError(f"{reader.path}: no camera {camera!r}; there is {', '.join(channels) or 'none'}")
    keys = [key for key in reader.keys if not cameras or key[1] in cameras]
    if not keys:
        raise InputError(f"{reader.path}: no image in it")
    return keys
