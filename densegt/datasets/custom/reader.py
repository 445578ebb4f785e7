"""From a folder of plain files to `Scene`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.custom.scene_folder import SceneFolder, nearest
from densegt.datasets.custom.settings import NAME, read_settings
from densegt.datasets.custom.sweep_file import read_sweep
from densegt.datasets.file_names import can_name_file
from densegt.datasets.image_size import size_of
from densegt.datasets.keyframes import Keyframe, keyframes_of
from densegt.datasets.recording import RecordingOptions, unknown_camera, unknown_scene
from densegt.datasets.scene import Camera, Lidar, Points, Scene, Sweep
from densegt.errors import InputError
from densegt.suggestion import no_such_folder

Int64 = NDArray[np.int64]


class CustomRecording:
    """recording.yaml and scenes/NAME/, each a scene."""

    def __init__(self, root: Path, version: str | None = None, options: RecordingOptions | None = None) -> None:
        """Open a folder.

        Args:
            version: there are none; None.
            options: what makes a keyframe; recording.yaml's keyframe_every goes before the rate.

        Raises:
            InputError: recording.yaml is missing or wrong, or there is no scene.
        """
        self._root = Path(root)
        if not self._root.is_dir():
            raise InputError(no_such_folder(self._root))
        if version is not None:
            raise InputError(f"{self._root}: a recording of your own has no versions; leave out {version!r}")
        self._settings = read_settings(self._root / NAME)
        options = options or RecordingOptions()
        every = options.keyframe_every or self._settings.keyframe_every
        self._options = replace(options, keyframe_every=every)
        for name, lidar in self._settings.lidars.items():
            if lidar.T_ego_lidar[2, 2] < 0:
                what = "its z points down; turn its points and its pose over, so that z points up"
                raise InputError(f"{self.source}: lidars.{name}.T_ego_lidar: {what}")
        folders = sorted(path for path in (self._root / "scenes").glob("*") if path.is_dir())
        if not folders:
            raise InputError(f"{self._root / 'scenes'}: no folder of a scene in it")
        for path in folders:
            if not can_name_file(path.name):
                raise InputError(f"{self._root / 'scenes'}: a folder is named {path.name!r}, which cannot name a file")
        self._scenes = {path.name: SceneFolder(path, self._settings, strict=options.strict) for path in folders}

    def __reduce__(self) -> tuple[Any, ...]:
        return CustomRecording, (self._root, None, self._options)

    @property
    def root(self) -> Path:
        """The folder that was opened."""
        return self._root

    @property
    def source(self) -> Path:
        """Its recording.yaml."""
        return self._root / NAME

    @property
    def scene_names(self) -> Sequence[str]:
        """Names of the folders in scenes/."""
        return list(self._scenes)

    def _folder(self, name: str) -> SceneFolder:
        if name not in self._scenes:
            raise unknown_scene(self._root / "scenes", name, self.scene_names)
        return self._scenes[name]

    def _keyframes_us(self, folder: SceneFolder) -> Int64:
        return folder.main_stamps_us[self._options.keyframe_rows(folder.main_stamps_us)]

    def scene(self, name: str, *, cameras: Sequence[str] = (), keyframes_only: bool = False) -> Scene:
        """A folder as a scene; see `Recording.scene`.

        Raises:
            InputError: unknown scene or camera, no sweep, a file that is missing or wrong.
        """
        folder = self._folder(name)
        sweeps = tuple(self._sweeps(folder))
        lidars = tuple({sweep.lidar.channel: sweep.lidar for sweep in sweeps}.values())
        return Scene(
            name=name,
            lidars=lidars,
            sweeps=tuple(sweep for sweep in sweeps if sweep.is_keyframe or not keyframes_only),
            cameras=self._cameras(folder, cameras),
            tracks=folder.tracks,
            read_points=self.read_points,
            set_aside=tuple(folder.set_aside),
        )

    def _sweeps(self, folder: SceneFolder) -> Iterator[Sweep]:
        """All sweeps in order of time; each lidar's nearest to a keyframe is one."""
        keyframes_us = self._keyframes_us(folder)
        found = []
        for rank, (channel, files) in enumerate(folder.sweeps.items()):
            settings = self._settings.lidars[channel]
            lidar = Lidar(channel, settings.T_ego_lidar, settings.lidar_model())
            stamps_us = np.array(list(files), dtype=np.int64)
            keyframe_of = {own: key for key, own in nearest(keyframes_us, list(files), folder.period_us / 2).items()}
            belongs = keyframes_us[np.maximum(np.searchsorted(keyframes_us, stamps_us, side="right") - 1, 0)]
            poses = folder.poses.at(stamps_us)
            for stamp_us, keyframe_us, T_global_ego in zip(stamps_us.tolist(), belongs.tolist(), poses, strict=True):
                sweep = Sweep(
                    token=f"{folder.folder.name}_{stamp_us}_{channel}",
                    sample_token=_token(folder, keyframe_of.get(stamp_us, keyframe_us)),
                    is_keyframe=stamp_us in keyframe_of,
                    path=files[stamp_us],
                    timestamp_us=stamp_us,
                    lidar=lidar,
                    T_global_ego=T_global_ego,
                )
                found.append((stamp_us, rank, sweep))
        yield from (sweep for _, _, sweep in sorted(found, key=lambda entry: entry[:2]))

    def _cameras(self, folder: SceneFolder, wanted: Sequence[str]) -> tuple[Camera, ...]:
        for channel in wanted:
            if channel not in self._settings.cameras:
                raise unknown_camera(self.source, channel, list(self._settings.cameras))
        found = []
        for channel in wanted or self._settings.cameras:
            exposures = folder.exposures_us(channel, self._keyframes_us(folder))
            poses = folder.poses.at(np.array(list(exposures.values()), dtype=np.int64))
            for (keyframe_us, stamp_us), T_global_ego in zip(exposures.items(), poses, strict=True):
                found.append(self._camera(folder, channel, keyframe_us, stamp_us, T_global_ego))
        return tuple(sorted(found, key=lambda camera: camera.timestamp_us))

    def _camera(
        self, folder: SceneFolder, channel: str, keyframe_us: int, stamp_us: int, T_global_ego: NDArray[np.float64]
    ) -> Camera:
        settings = self._settings.cameras[channel]
        virtual = folder.folder / "images" / channel / f"{stamp_us}.jpg"
        path = folder.images.get(channel, {}).get(stamp_us, virtual)
        size = size_of(path)
        if size is not None and size != settings.size:
            what = f"but {NAME} says {settings.size[0]}x{settings.size[1]}"
            raise InputError(f"{path}: {size[0]}x{size[1]} px, {what}")
        return Camera(
            token=f"{folder.folder.name}_{stamp_us}_{channel}",
            sample_token=_token(folder, keyframe_us),
            channel=channel,
            image_path=path,
            filename=path.relative_to(self._root).as_posix(),
            width_px=settings.size[0],
            height_px=settings.size[1],
            timestamp_us=stamp_us,
            K=settings.K,
            T_ego_cam=settings.T_ego_cam,
            T_global_ego=T_global_ego,
            distortion=settings.distortion,
        )

    def read_points(self, sweep: Sweep) -> Points:
        """One sweep's returns; see `read_sweep`."""
        folder = self._folder(sweep.path.parents[2].name)
        return read_sweep(sweep.path, folder.elevations(sweep.lidar.channel))

    def keyframes(self, name: str) -> list[Keyframe]:
        """See `Recording.keyframes`; a keyframe's boxes are those at the stamp of the main lidar's sweep."""
        return keyframes_of(self.scene(name, keyframes_only=True), self._settings.class_of)

    def keyframe_count(self, name: str) -> int:
        """See `Recording.keyframe_count`."""
        return len(self._keyframes_us(self._folder(name)))

    def steps(self, name: str) -> int:
        """See `Recording.steps`."""
        folder = self._folder(name)
        keyframes_us = self._keyframes_us(folder)
        images = sum(len(folder.exposures_us(channel, keyframes_us)) for channel in self._settings.cameras)
        return sum(map(len, folder.sweeps.values())) + images

    def point_count(self, name: str) -> int:
        """As many in each of a lidar's sweeps as in its first."""
        first = [next(iter(files.values())) for files in self._folder(name).sweeps.values() if files]
        counts = [len(read_sweep(path, None).ring) for path in first]
        numbers = [len(files) for files in self._folder(name).sweeps.values() if files]
        return sum(count * number for count, number in zip(counts, numbers, strict=True))

    def fingerprint(self, name: str) -> str:
        """See `Recording.fingerprint`."""
        folder = self._folder(name)
        return sha256(f"{folder.fingerprint()} {self._keyframes_us(folder).tolist()}".encode()).hexdigest()

    def validation_scenes(self) -> frozenset[str]:
        """Those that recording.yaml lists as `validation`."""
        return frozenset(self._settings.validation) & frozenset(self._scenes)


def _token(folder: SceneFolder, stamp_us: int) -> str:
    return f"{folder.folder.name}_{stamp_us}"
