"""From nuScenes tables to `Scene`. Quirks of the schema (w,l,h; w,x,y,z; microseconds) end here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.nuscenes.spin import infer_spin
from densegt.datasets.nuscenes.sweep import BYTES_PER_POINT, read_points
from densegt.datasets.nuscenes.tables import Poses, Tables
from densegt.datasets.scene import Camera, Scene, SpinModel, SweepMeta, Track
from densegt.errors import InputError
from densegt.geometry import se3

LIDAR = "LIDAR_TOP"


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


def is_outside(filename: str) -> bool:
    """Whether a name in a table leads out of the dataset, or is no name of a file at all."""
    parts = Path(filename).parts
    too_long = len(filename) > 1000 or any(len(part.encode(errors="replace")) > 255 for part in parts)
    return ".." in parts or filename.startswith("/") or not filename.isprintable() or too_long


def can_name_file(scene_name: str) -> bool:
    """A scene's name becomes a file's: <name>.h5. Hidden files are left out by those who read stores."""
    return scene_name != "" and "/" not in scene_name and scene_name[0] != "." and not is_outside(scene_name)


class NuScenes:
    """A nuScenes-format folder: names its scenes and builds each as a `Scene`."""

    def __init__(self, dataroot: Path, version: str | None = None) -> None:
        self.dataroot = Path(dataroot)
        self.tables = Tables(find_version(self.dataroot, version))
        self.scene_names = [row.name for row in self.tables.scenes]
        if not self.scene_names:
            raise InputError(f"{self.tables.path('scene')}: no scene in it")
        for name in self.scene_names:
            if not can_name_file(name):
                raise InputError(f"{self.tables.path('scene')}: a scene is named {name!r}, which cannot name a file")
            if self.scene_names.count(name) > 1:
                raise InputError(f"{self.tables.path('scene')}: two scenes are named {name!r}")

    def some_scenes(self) -> str:
        """The first scenes' names, for messages."""
        return _some(self.scene_names)

    def steps(self, name: str) -> int:
        """How many sweeps to read and keyframe images to write a scene has, for progress."""
        t, data = self.tables, self.tables.sample_data
        rows = self._rows_of(self.scene_names.index(name))
        lidar = np.array([channel == LIDAR for channel in t.channels])[data.calibrated_sensor[rows]]
        camera = np.array([bool(k) for k in t.intrinsics])[data.calibrated_sensor[rows]]
        return int(lidar.sum() + (camera & data.is_keyframe[rows]).sum())

    def scene(self, name: str, *, cameras: Sequence[str] | None = None, spin: SpinModel | None = None) -> Scene:
        """Build one scene; points and images stay on disk.

        Args:
            name: e.g. scene-0061.
            cameras: channels to keep; all where None.
            spin: how the lidar turns; worked out from the stamps where None.

        Raises:
            InputError: unknown scene or camera, a pose that is none, a file that is missing or cut off.
        """
        if name not in self.scene_names:
            raise InputError(f"{self.tables.path('scene')}: no scene {name!r}; there is {_some(self.scene_names)}")
        rows = self._rows_of(self.scene_names.index(name))
        sweeps = self._sweeps(rows)
        if not sweeps:
            raise InputError(f"{self.tables.folder}: scene {name} has no {LIDAR} sweep")
        exposures = self._cameras(rows, cameras)
        return Scene(
            name=name,
            sweeps=sweeps,
            cameras=exposures,
            tracks=self._tracks(self.scene_names.index(name)),
            spin=spin or infer_spin(sweeps, exposures, read_points(sweeps[0])),
            read_points=read_points,
        )

    def _rows_of(self, scene: int) -> NDArray[np.intp]:
        data = self.tables.sample_data
        rows = np.flatnonzero(self.tables.sample_scene[data.sample] == scene)
        return rows[np.argsort(data.timestamp_us[rows], kind="stable")]

    def _sweeps(self, rows: NDArray[np.intp]) -> tuple[SweepMeta, ...]:
        t, data = self.tables, self.tables.sample_data
        mine = [i for i in rows if t.channels[data.calibrated_sensor[i]] == LIDAR]
        sweeps = tuple(
            SweepMeta(
                token=data.tokens[i],
                sample_token=t.samples[data.sample[i]].token,
                is_keyframe=bool(data.is_keyframe[i]),
                path=self._file(data.filenames[i]),
                timestamp_us=int(data.timestamp_us[i]),
                T_ego_lidar=self._pose("calibrated_sensor", t.calibrated_sensors, data.calibrated_sensor[i]),
                T_global_ego=self._pose("ego_pose", t.ego_poses, data.ego_pose[i]),
            )
            for i in mine
        )
        for sweep in sweeps:
            left_over = sweep.path.stat().st_size % BYTES_PER_POINT
            if left_over:
                raise InputError(
                    f"{sweep.path}: {left_over} bytes left over; a sweep is a multiple of {BYTES_PER_POINT} bytes. "
                    "Fetch it again"
                )
        return sweeps

    def _cameras(self, rows: NDArray[np.intp], wanted: Sequence[str] | None) -> tuple[Camera, ...]:
        t, data = self.tables, self.tables.sample_data
        with_k = [i for i in rows if data.is_keyframe[i] and t.intrinsics[data.calibrated_sensor[i]]]
        channels = {t.channels[data.calibrated_sensor[i]] for i in with_k}
        for channel in wanted or ():
            if channel not in channels:
                raise InputError(f"{self.tables.folder}: no camera {channel!r}; there is {_some(sorted(channels))}")
        keep = set(wanted) if wanted else channels
        return tuple(
            self._camera(i, channel) for i in with_k if (channel := t.channels[data.calibrated_sensor[i]]) in keep
        )

    def _camera(self, i: int, channel: str) -> Camera:
        t, data = self.tables, self.tables.sample_data
        calibration = data.calibrated_sensor[i]
        try:
            return Camera(
                token=data.tokens[i],
                sample_token=t.samples[data.sample[i]].token,
                channel=channel,
                image_path=self._file(data.filenames[i]),
                filename=data.filenames[i],
                width_px=int(data.width_px[i]),
                height_px=int(data.height_px[i]),
                timestamp_us=int(data.timestamp_us[i]),
                K=self._intrinsic(calibration),
                T_ego_cam=self._pose("calibrated_sensor", t.calibrated_sensors, calibration),
                T_global_ego=self._pose("ego_pose", t.ego_poses, data.ego_pose[i]),
            )
        except InputError:
            raise
        except ValueError as error:
            raise InputError(f"{t.folder}: camera {channel}: {error}") from None

    def _tracks(self, scene: int) -> tuple[Track, ...]:
        t, boxes = self.tables, self.tables.annotations
        rows = np.flatnonzero(t.sample_scene[boxes.sample] == scene)
        tracks = []
        for instance in np.unique(boxes.instance[rows]):
            mine = rows[boxes.instance[rows] == instance]
            stamps = np.array([t.samples[boxes.sample[i]].timestamp for i in mine], dtype=np.int64)
            # Two boxes of one instance at one time contradict each other; the first in time order is kept.
            stamps, first = np.unique(stamps, return_index=True)
            row = t.instances[instance]
            tracks.append(
                Track(
                    token=row.token,
                    category=t.categories.get(row.category_token, "unknown"),
                    size_lwh_m=np.median([self._size_lwh_m(i) for i in mine], axis=0),
                    timestamps_us=stamps,
                    T_global_box=np.stack([self._pose("sample_annotation", boxes.pose, i) for i in mine[first]]),
                )
            )
        return tuple(tracks)

    def _size_lwh_m(self, row: int) -> NDArray[np.float64]:
        boxes = self.tables.annotations
        size_lwh_m: NDArray[np.float64] = boxes.size_lwh_m[row]
        if not (np.isfinite(size_lwh_m) & (size_lwh_m > 0)).all():
            where = f"{self.tables.path('sample_annotation')}: row {boxes.tokens[row]}"
            raise InputError(f"{where}: size {size_lwh_m[[1, 0, 2]].tolist()} is not a box's")
        return size_lwh_m

    def _intrinsic(self, row: int) -> NDArray[np.float64]:
        values = self.tables.intrinsics[row]
        if len(values) != 3 or any(len(line) != 3 for line in values):
            where = f"{self.tables.path('calibrated_sensor')}: row {self.tables.calibrated_sensors.tokens[row]}"
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


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
