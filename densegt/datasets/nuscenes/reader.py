"""From nuScenes tables to `Scene`. Quirks of the schema (w,l,h; w,x,y,z; microseconds) end here."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.file_names import can_name_file, is_outside
from densegt.datasets.image_size import JPEG_SUFFIXES, size_of
from densegt.datasets.keyframes import Keyframe
from densegt.datasets.nuscenes.columns import Boxes, Poses, SceneRows, pick
from densegt.datasets.nuscenes.fingerprint import fingerprint
from densegt.datasets.nuscenes.keyframes import Facts, annotation_facts, keyframes_of
from densegt.datasets.nuscenes.object_kinds import object_kind
from densegt.datasets.nuscenes.splits import official_validation_scenes
from densegt.datasets.nuscenes.sweep_file import BYTES_PER_POINT, check_size, read_points
from densegt.datasets.nuscenes.tables import Tables
from densegt.datasets.recording import RecordingOptions, some
from densegt.datasets.scene import Camera, Lidar, Points, Scene, Sweep, Track
from densegt.datasets.truckscenes.sweep_file import read_sweep as read_pcd_sweep
from densegt.errors import InputError
from densegt.geometry import se3


def find_version(dataroot: Path, version: str | None) -> Path:
    """The folder of tables: `version`, or the only `v1.0-*` there.

    Raises:
        InputError: no such folder, none, or several to choose from.
    """
    if not dataroot.is_dir():
        raise InputError(f"{dataroot}: no such folder; --dataroot is the folder that holds v1.0-*/ and samples/")
    found = sorted(p.name for p in dataroot.glob("v1.0-*") if p.is_dir())
    if version is None:
        if len(found) != 1:
            choice = f"several versions ({', '.join(found)}); choose one with --version" if found else "no v1.0-* in it"
            raise InputError(f"{dataroot}: {choice}")
        version = found[0]
    if version not in found:
        raise InputError(f"{dataroot}: no version {version!r}; there is {', '.join(found) or 'none'}")
    return dataroot / version


class NuScenes:
    """A nuScenes-format folder: names its scenes and builds each as a `Scene`.

    Large tables are indexed once, in the file `index` or where `densegt.datasets.nuscenes.index_location` says.
    """

    def __init__(
        self,
        dataroot: Path,
        version: str | None = None,
        options: RecordingOptions | None = None,
        *,
        index: Path | None = None,
    ) -> None:
        # The tables name the keyframes: no option applies.
        self.dataroot = Path(dataroot)
        self._index = index
        # Each sweep's first of the same lidar and scene, of files that name no rings.
        self._first_pcd: dict[Path, Path] = {}
        self.tables = Tables(find_version(self.dataroot, version), index)
        self.scene_names = self.tables.scene_names
        if not self.scene_names:
            raise InputError(f"{self.tables.path('scene')}: no scene in it")
        for name in self.scene_names:
            if not can_name_file(name):
                raise InputError(f"{self.tables.path('scene')}: a scene is named {name!r}, which cannot name a file")
            if self.scene_names.count(name) > 1:
                raise InputError(f"{self.tables.path('scene')}: two scenes are named {name!r}")

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process opens the tables for itself.
        return _opened, (self.dataroot, self.tables.folder.name, self._index)

    @property
    def root(self) -> Path:
        """The folder that holds v1.0-*/ and samples/."""
        return self.dataroot

    @property
    def source(self) -> Path:
        """The folder of tables."""
        return self.tables.folder

    def steps(self, name: str) -> int:
        """How many sweeps to read and keyframe images to write a scene has, for progress."""
        return self.tables.steps(self.scene_names.index(name))

    def keyframe_count(self, name: str) -> int:
        """How many samples a scene has."""
        return self.tables.keyframes(self.scene_names.index(name))

    def point_count(self, name: str) -> int:
        """Told from the sizes of the sweeps' files."""
        rows = self._rows(name)
        paths = (self.dataroot / rows.data.filenames[i] for i in np.flatnonzero(rows.is_lidar).tolist())
        return sum(path.stat().st_size if path.exists() else 0 for path in paths) // BYTES_PER_POINT

    def fingerprint(self, name: str) -> str:
        """Digest of what the tables say of a scene, see `densegt.datasets.nuscenes.fingerprint`."""
        return fingerprint(self._rows(name))

    def read_points(self, sweep: Sweep) -> Points:
        """One sweep's returns; see `densegt.datasets.nuscenes.sweep_file`, and for `.pcd` that of truckscenes."""
        if sweep.path.suffix == ".pcd":
            return read_pcd_sweep(sweep.path, sweep.timestamp_us, self._first_pcd.get(sweep.path, sweep.path))
        return read_points(sweep)

    def validation_scenes(self) -> frozenset[str]:
        """nuScenes' own; the devkit knows them."""
        return official_validation_scenes()

    def keyframes(self, name: str) -> list[Keyframe]:
        """A scene's samples; only files of keyframes need be there."""
        return keyframes_of(self.scene(name, keyframes_only=True), self._rows(name).samples, self._facts)

    @cached_property
    def _facts(self) -> Facts:
        return annotation_facts(self.tables)

    def _rows(self, name: str) -> SceneRows:
        if name not in self.scene_names:
            raise InputError(f"{self.tables.path('scene')}: no scene {name!r}; there is {some(self.scene_names)}")
        return self.tables.scene_rows(self.scene_names.index(name))

    def scene(self, name: str, *, cameras: Sequence[str] = (), keyframes_only: bool = False) -> Scene:
        """Build one scene; points and images stay on disk.

        Args:
            name: e.g. scene-0061.
            cameras: channels to keep; all where empty.
            keyframes_only: leave the sweeps between keyframes out; their files need not be there.

        Raises:
            InputError: unknown scene or camera, a pose that is none, a file that is missing or cut off.
        """
        rows = self._rows(name)
        sweeps = self._sweeps(rows, keyframes_only)
        if not sweeps:
            raise InputError(f"{self.tables.folder}: scene {name} has no lidar sweep")
        return Scene(
            name=name,
            lidars=tuple({id(sweep.lidar): sweep.lidar for sweep in sweeps}.values()),
            sweeps=sweeps,
            cameras=self._cameras(rows, cameras),
            tracks=self._tracks(rows),
            read_points=self.read_points,
        )

    def _sweeps(self, rows: SceneRows, keyframes_only: bool) -> tuple[Sweep, ...]:
        data = rows.data
        wanted = rows.is_lidar & data.is_keyframe if keyframes_only else rows.is_lidar
        chosen = np.flatnonzero(wanted)
        lidars = {
            c: Lidar(rows.calibrations.channels[c], self._pose("calibrated_sensor", rows.calibrations.pose, c))
            for c in np.unique(data.calibration[chosen]).tolist()
        }
        sweeps = tuple(
            Sweep(
                token=data.tokens[i],
                sample_token=rows.samples.tokens[data.sample[i]],
                is_keyframe=bool(data.is_keyframe[i]),
                path=self._file(data.filenames[i]),
                timestamp_us=int(data.timestamp_us[i]),
                lidar=lidars[int(data.calibration[i])],
                T_global_ego=self._pose("ego_pose", data.ego_pose, i),
            )
            for i in chosen
        )
        first: dict[int, Path] = {}
        for sweep in sweeps:
            if sweep.path.suffix == ".pcd":
                self._first_pcd[sweep.path] = first.setdefault(id(sweep.lidar), sweep.path)
            else:
                check_size(sweep.path, sweep.path.stat().st_size)
        return sweeps

    def _cameras(self, rows: SceneRows, wanted: Sequence[str]) -> tuple[Camera, ...]:
        channel_of = [rows.calibrations.channels[c] for c in rows.data.calibration]
        images = np.flatnonzero(rows.is_image)
        channels = {channel_of[i] for i in images}
        for channel in wanted:
            if channel not in channels:
                raise InputError(f"{self.tables.folder}: no camera {channel!r}; there is {some(sorted(channels))}")
        keep = set(wanted) if wanted else channels
        return tuple(self._camera(rows, i, channel_of[i]) for i in images if channel_of[i] in keep)

    def _camera(self, rows: SceneRows, i: int, channel: str) -> Camera:
        data, calibrations = rows.data, rows.calibrations
        calibration = data.calibration[i]
        try:
            return Camera(
                token=data.tokens[i],
                sample_token=rows.samples.tokens[data.sample[i]],
                channel=channel,
                image_path=self._image(data.filenames[i], int(data.width_px[i]), int(data.height_px[i])),
                filename=data.filenames[i],
                width_px=int(data.width_px[i]),
                height_px=int(data.height_px[i]),
                timestamp_us=int(data.timestamp_us[i]),
                K=self._intrinsic(calibrations.pose.tokens[calibration], calibrations.intrinsics[calibration]),
                T_ego_cam=self._pose("calibrated_sensor", calibrations.pose, calibration),
                T_global_ego=self._pose("ego_pose", data.ego_pose, i),
            )
        except InputError:
            raise
        except ValueError as error:
            raise InputError(f"{self.tables.folder}: camera {channel}: {error}") from None

    def _tracks(self, rows: SceneRows) -> tuple[Track, ...]:
        boxes = rows.boxes
        stamps_us = rows.samples.timestamp_us[boxes.sample]
        tracks = []
        for instance, (token, category) in enumerate(zip(rows.instances, rows.categories, strict=True)):
            mine = np.flatnonzero(boxes.instance == instance)
            # Two boxes of one instance at one time contradict each other; the first in time order is kept.
            timestamps_us, first = np.unique(stamps_us[mine], return_index=True)
            tracks.append(
                Track(
                    token=token,
                    category=category,
                    kind=object_kind(category),
                    size_lwh_m=np.median(self._sizes_lwh_m(pick(boxes, mine)), axis=0),
                    timestamps_us=timestamps_us,
                    T_global_box=np.stack([self._pose("sample_annotation", boxes.pose, i) for i in mine[first]]),
                )
            )
        return tuple(tracks)

    def _sizes_lwh_m(self, boxes: Boxes) -> NDArray[np.float64]:
        for token, size_lwh_m in zip(boxes.pose.tokens, boxes.size_lwh_m, strict=True):
            if not (np.isfinite(size_lwh_m) & (size_lwh_m > 0)).all():
                where = f"{self.tables.path('sample_annotation')}: row {token}"
                raise InputError(f"{where}: size {size_lwh_m[[1, 0, 2]].tolist()} is not a box's")
        return boxes.size_lwh_m

    def _intrinsic(self, token: str, values: list[list[float]]) -> NDArray[np.float64]:
        if len(values) != 3 or any(len(line) != 3 for line in values):
            where = f"{self.tables.path('calibrated_sensor')}: row {token}"
            raise InputError(f"{where}: camera_intrinsic {values} should be 3x3")
        return np.array(values, dtype=np.float64)

    def _pose(self, table: str, poses: Poses, row: int) -> NDArray[np.float64]:
        try:
            return se3.from_quaternion(poses.rotation_wxyz[row], poses.translation_m[row])
        except ValueError as error:
            raise InputError(f"{self.tables.path(table)}: row {poses.tokens[row]}: {error}") from None

    def _file(self, filename: str) -> Path:
        if is_outside(filename):
            raise InputError(f"{self.tables.path('sample_data')}: {filename!r} points outside the dataset")
        path = self.dataroot / filename
        if not path.is_file():
            raise InputError(f"{path}: named in sample_data.json but not there; `densegt check` lists all such files")
        return path

    def _image(self, filename: str, width_px: int, height_px: int) -> Path:
        """An image's file; K and depth are for the table's size, so a JPEG must have no other."""
        path = self._file(filename)
        size = size_of(path) if path.suffix.lower() in JPEG_SUFFIXES else None
        if size not in (None, (width_px, height_px)) and width_px and height_px:
            raise InputError(f"{path}: {size[0]}x{size[1]} px, but sample_data.json says {width_px}x{height_px}")
        return path


def _opened(dataroot: Path, version: str, index: Path | None) -> NuScenes:
    return NuScenes(dataroot, version, index=index)
