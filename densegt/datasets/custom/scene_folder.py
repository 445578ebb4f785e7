"""One scene's folder: which files there are, by stamp, and its tables, each read when it is first asked for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.beams import beam_elevations
from densegt.datasets.bounded_file import read_bounded
from densegt.datasets.custom.csv_table import read_tracks
from densegt.datasets.custom.ego_poses import EgoPoses
from densegt.datasets.custom.settings import Settings
from densegt.datasets.custom.sweep_file import names_rings, read_sweep
from densegt.datasets.scene import Track
from densegt.datasets.set_aside import SetAside
from densegt.datasets.sweep_columns import SUFFIXES
from densegt.errors import InputError

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png")
Int64 = NDArray[np.int64]


class SceneFolder:
    """scenes/NAME: poses.csv, sweeps/LIDAR/, images/CAMERA/ and, where there are labels, boxes.csv."""

    def __init__(self, folder: Path, settings: Settings, *, strict: bool = False) -> None:
        self.folder = folder
        self._settings = settings
        self._strict = strict
        self.set_aside: list[SetAside] = []
        self._elevations: dict[str, NDArray[np.float64] | None] = {}

    @cached_property
    def sweeps(self) -> dict[str, dict[int, Path]]:
        """Each lidar's files by stamp, in order of time.

        Raises:
            InputError: the main lidar has none, none with a pose, or a file has no stamp for a name.
        """
        found = {name: by_stamp(self.folder / "sweeps" / name, SUFFIXES) for name in self._settings.lidars}
        main = next(iter(found))
        if not found[main]:
            raise InputError(f"{self.folder / 'sweeps' / main}: no sweep in it ({_names(SUFFIXES)})")
        posed = {name: self._with_pose("sweep", files) for name, files in found.items()}
        if not posed[main]:
            self.poses.at(np.array(list(found[main]), dtype=np.int64))
        return posed

    @cached_property
    def images(self) -> dict[str, dict[int, Path]]:
        """Each camera's files by stamp, in order of time; cameras without images are left out.

        Raises:
            InputError: a file has no stamp for a name.
        """
        found = {name: by_stamp(self.folder / "images" / name, IMAGE_SUFFIXES) for name in self._settings.cameras}
        return {name: self._with_pose("image", files) for name, files in found.items() if files}

    def _with_pose(self, what: str, files: dict[int, Path]) -> dict[int, Path]:
        """The files at whose stamps the ego's pose is known; the others are set aside, or strictly refused."""
        unknown = self.poses.unknown(np.array(list(files), dtype=np.int64))
        bad = [SetAside(what, str(files[t]), f"{self.poses.path.name}: {reason}") for t, reason in unknown.items()]
        if bad and self._strict:
            raise InputError(str(bad[0]))
        self.set_aside += bad
        return {stamp_us: path for stamp_us, path in files.items() if stamp_us not in unknown}

    @property
    def main_stamps_us(self) -> Int64:
        """Stamps of the main lidar's sweeps, increasing."""
        return np.array(list(next(iter(self.sweeps.values()))), dtype=np.int64)

    @property
    def period_us(self) -> float:
        """Time between the main lidar's sweeps; 0.1 s where there is one."""
        stamps_us = self.main_stamps_us
        return float(np.median(np.diff(stamps_us))) if len(stamps_us) > 1 else 1e5

    @cached_property
    def poses(self) -> EgoPoses:
        """See `EgoPoses`."""
        return EgoPoses(self.folder / "poses.csv")

    @cached_property
    def tracks(self) -> tuple[Track, ...]:
        """See `read_tracks`."""
        return read_tracks(self.folder / "boxes.csv", self._settings)

    def elevations(self, lidar: str) -> NDArray[np.float64] | None:
        """Elevations of a lidar's beams, from its first sweep; None where files name the rings themselves."""
        if lidar not in self._elevations:
            first = next(iter(self.sweeps[lidar].values()))
            named = names_rings(first)
            self._elevations[lidar] = None if named else beam_elevations(read_sweep(first, None).xyz_lidar)
        return self._elevations[lidar]

    def exposures_us(self, camera: str, keyframes_us: Int64) -> dict[int, int]:
        """The camera's exposure for each keyframe's stamp that has one within a turn: that of the nearest image.

        Where a scene has no images at all every camera is taken to look at the keyframes' stamps: depth is made from
        calibration alone, and who asks for the image is told that there is none.
        """
        if not self.images:
            return {stamp_us: stamp_us for stamp_us in keyframes_us.tolist()}
        return nearest(keyframes_us, list(self.images.get(camera, ())), self.period_us)

    def fingerprint(self) -> str:
        """A digest of the tables and of the names of sweeps and images."""
        digest = sha256(b"densegt custom input 1")
        for path in (self.folder.parents[1] / "recording.yaml", self.folder / "poses.csv", self.folder / "boxes.csv"):
            digest.update(f"{path.name} {path.exists()}\n".encode())
            if path.exists():
                digest.update(sha256(read_bounded(path)).digest())
        for files in (self.sweeps, self.images):
            for name, by in files.items():
                digest.update("\0".join([name, *(path.name for path in by.values())]).encode() + b"\n")
        return digest.hexdigest()


def nearest(keyframes_us: Int64, stamps_us: Sequence[int], within_us: float) -> dict[int, int]:
    """For each keyframe's stamp the nearest of some stamps, if it is near enough."""
    if not stamps_us:
        return {}
    known = np.array(stamps_us, dtype=np.int64)
    best = known[np.abs(known[None] - keyframes_us[:, None]).argmin(axis=1)]
    near = np.abs(best - keyframes_us) <= within_us
    return dict(zip(keyframes_us[near].tolist(), best[near].tolist(), strict=True))


def by_stamp(folder: Path, suffixes: Sequence[str]) -> dict[int, Path]:
    """Files by the stamp in us that they are named by, in order of time; none where there is no such folder.

    Raises:
        InputError: a file is named otherwise, or two have one stamp.
    """
    found: dict[int, Path] = {}
    for path in folder.glob("*"):
        if path.suffix.lower() not in suffixes or path.name.startswith("."):
            continue
        name = path.stem
        if not (name.isascii() and name.isdecimal() and len(name) <= 19 and int(name) < 2**62):
            raise InputError(
                f"{path}: a file here is named by its stamp in microseconds, as 1600000000123456{path.suffix}"
            )
        if int(name) in found:
            raise InputError(f"{path}: the stamp of {found[int(name)].name} too; which is it?")
        found[int(name)] = path
    return dict(sorted(found.items()))


def _names(suffixes: Sequence[str]) -> str:
    return " or ".join(f"<stamp in us>{suffix}" for suffix in suffixes)
