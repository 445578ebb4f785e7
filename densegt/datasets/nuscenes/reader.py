"""A nuScenes-format folder as a recording."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from densegt.datasets.file_names import can_name_file
from densegt.datasets.keyframes import Keyframe
from densegt.datasets.nuscenes.columns import SceneRows
from densegt.datasets.nuscenes.fingerprint import fingerprint
from densegt.datasets.nuscenes.keyframes import Facts, annotation_facts, keyframes_of
from densegt.datasets.nuscenes.scene_builder import SceneBuilder
from densegt.datasets.nuscenes.splits import official_validation_scenes
from densegt.datasets.nuscenes.sweep_file import BYTES_PER_POINT, Beams, beams_of, read_points, read_sweep
from densegt.datasets.nuscenes.tables import Tables
from densegt.datasets.nuscenes.time_units import Stamps, unit_problem
from densegt.datasets.nuscenes.version_folder import find_version
from densegt.datasets.recording import RecordingOptions, unknown_scene
from densegt.datasets.scene import Points, Scene, Sweep
from densegt.datasets.truckscenes.sweep_file import is_timed_pcd
from densegt.datasets.truckscenes.sweep_file import read_sweep as read_timed_sweep
from densegt.errors import InputError


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
        self.dataroot = Path(dataroot)
        self._index = index
        # The tables name the keyframes: of the options none but strict applies.
        self._options = options or RecordingOptions()
        # Of sweeps whose files name no rings, or wrong ones.
        self._beams: dict[Path, Beams] = {}
        # Each sweep's first of the same lidar and scene, of those that are as MAN TruckScenes has them.
        self._first_timed: dict[Path, Path] = {}
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
        version = self.tables.folder.relative_to(self.dataroot).as_posix()
        return _opened, (self.dataroot, version, self._options, self._index)

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
        """One sweep's returns; see `densegt.datasets.nuscenes.sweep_file`, and for timed `.pcd` that of truckscenes."""
        if sweep.path in self._beams:
            return read_sweep(sweep.path, self._beams[sweep.path])
        if is_timed_pcd(sweep.path):
            return read_timed_sweep(sweep.path, sweep.timestamp_us, self._first_timed.get(sweep.path, sweep.path))
        return read_points(sweep)

    def validation_scenes(self) -> frozenset[str]:
        """nuScenes' own; the devkit knows them."""
        return official_validation_scenes()

    def keyframes(self, name: str) -> list[Keyframe]:
        """A scene's samples; only files of keyframes need be there."""
        scene = self.scene(name, keyframes_only=True)
        return keyframes_of(scene, self._rows(name).samples, self._facts, strict=self._options.strict)

    @cached_property
    def _facts(self) -> Facts:
        return annotation_facts(self.tables)

    def _rows(self, name: str) -> SceneRows:
        if name not in self.scene_names:
            raise unknown_scene(self.tables.path("scene"), name, self.scene_names)
        return self.tables.scene_rows(self.scene_names.index(name))

    def scene(self, name: str, *, cameras: Sequence[str] = (), keyframes_only: bool = False) -> Scene:
        """Build one scene; points and images stay on disk.

        Args:
            name: e.g. scene-0061.
            cameras: channels to keep; all where empty.
            keyframes_only: leave the sweeps between keyframes out; their files need not be there.

        Raises:
            InputError: unknown scene or camera, stamps in another unit, no sweep or image that can be used; strict: one
                cannot be.
        """
        rows = self._rows(name)
        wrong = unit_problem(Stamps.of(rows))
        if wrong is not None:
            raise InputError(f"{self.tables.path(wrong[0])}: scene {name}: {wrong[1]}")
        builder = SceneBuilder(self.dataroot, self.tables, rows, strict=self._options.strict)
        sweeps = builder.sweeps(keyframes_only=keyframes_only)
        if not sweeps:
            raise InputError(f"{self.tables.folder}: scene {name} has no lidar sweep")
        return Scene(
            name=name,
            lidars=tuple({id(sweep.lidar): sweep.lidar for sweep in sweeps}.values()),
            sweeps=sweeps,
            cameras=builder.cameras(cameras),
            tracks=builder.tracks(),
            read_points=self.read_points,
            notes=tuple(self._look_at_rings(sweeps)),
            set_aside=tuple(builder.set_aside),
        )

    def _look_at_rings(self, sweeps: Sequence[Sweep]) -> Iterator[str]:
        """Notes how each lidar's sweeps are to be read, told from the first that can be; a line for what is unusual."""
        by_lidar: dict[int, list[Sweep]] = {}
        for sweep in sweeps:
            by_lidar.setdefault(id(sweep.lidar), []).append(sweep)
        for mine in by_lidar.values():
            first = mine[0].path
            if is_timed_pcd(first):
                self._first_timed.update((sweep.path, first) for sweep in mine)
                continue
            beams = next((beams for beams in map(_beams_of, mine) if beams is not None), None)
            if isinstance(beams, Beams):
                self._beams.update((sweep.path, beams) for sweep in mine)
                yield f"rings of {mine[0].lidar.channel} are worked out from elevations: {beams.why}"


def _beams_of(sweep: Sweep) -> Beams | bool | None:
    """The beams to use; False where the file's rings are good; None where it cannot be read."""
    try:
        return beams_of(sweep.path) or False
    except InputError:
        return None


def _opened(dataroot: Path, version: str, options: RecordingOptions, index: Path | None) -> NuScenes:
    return NuScenes(dataroot, version, options, index=index)
