"""Scenes and images of a store by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from densegt.datasets.recording import unknown_camera, unknown_scene
from densegt.depth.store import SceneReader, scene_files
from densegt.errors import InputError, UnknownCameraError


def select_scenes(store: Path, names: Sequence[str]) -> list[Path]:
    """Files of the scenes asked for, each once; all of the store where none is named.

    Raises:
        InputError: no store, or no scene of that name in it.
    """
    paths = {path.stem: path for path in scene_files(store)}
    for name in names:
        if name not in paths:
            raise unknown_scene(store, name, list(paths))
    return [paths[name] for name in dict.fromkeys(names)] or list(paths.values())


def select_images(reader: SceneReader, cameras: Sequence[str]) -> list[tuple[str, str]]:
    """(sample token, channel) of a scene's images from these cameras, all where none is named; in order of time.

    Raises:
        InputError: no image, or no camera of that name in it.
    """
    channels = sorted({channel for _, channel in reader.keys})
    for camera in cameras:
        if camera not in channels:
            raise unknown_camera(reader.path, camera, channels)
    keys = [key for key in reader.keys if not cameras or key[1] in cameras]
    if not keys:
        raise InputError(f"{reader.path}: no image in it")
    return keys


def check_cameras_in(paths: Sequence[Path], cameras: Sequence[str]) -> None:
    """Whether any of some scenes' files has these cameras; before a run, which would find out scene by scene.

    Raises:
        UnknownCameraError: none has.
    """
    first: UnknownCameraError | None = None
    for path in paths if cameras else ():
        try:
            select_images(SceneReader(path), cameras)
        except UnknownCameraError as error:
            first = first or error
        except InputError:  # of this scene alone; the run says so
            return
        else:
            return
    if first:
        raise first
