"""One log's folder: its files, and what its tables say, each read when it is first asked for."""

from __future__ import annotations

from functools import cached_property
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.argoverse2.annotations import PointCounts, read_tracks
from densegt.datasets.argoverse2.calibration import LIDARS, Calibration, read_calibration
from densegt.datasets.argoverse2.ego_poses import EgoPoses
from densegt.datasets.argoverse2.sweep_file import lidar_model, lower_half_is, points_of, read_returns, turn_s
from densegt.datasets.bounded_file import MAX_SWEEP_BYTES, read_bounded
from densegt.datasets.scene import Lidar, Track
from densegt.errors import InputError

POSES = "city_SE3_egovehicle.feather"
# Cameras take twenty images a second; a keyframe without one this near has none of that camera.
NEAREST_IMAGE_NS = 50_000_000


class Log:
    """A log's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def stamps_ns(self) -> NDArray[np.int64]:
        """Stamps of its sweeps, increasing."""
        return _stamps_ns(self.folder / "sensors" / "lidar", ".feather")

    @cached_property
    def images_ns(self) -> dict[str, NDArray[np.int64]]:
        """Stamps of the images of each camera that has some."""
        folders = sorted((self.folder / "sensors" / "cameras").glob("*"))
        found = {folder.name: _stamps_ns(folder, ".jpg") for folder in folders}
        return {name: stamps_ns for name, stamps_ns in found.items() if len(stamps_ns)}

    @cached_property
    def calibration(self) -> Calibration:
        """See `read_calibration`."""
        return read_calibration(self.folder / "calibration")

    @cached_property
    def poses(self) -> EgoPoses:
        """See `EgoPoses`."""
        return EgoPoses(self.folder / POSES)

    @cached_property
    def annotated(self) -> tuple[tuple[Track, ...], PointCounts]:
        """See `read_tracks`."""
        return read_tracks(self.folder / "annotations.feather", self.poses)

    @cached_property
    def lower_half(self) -> str:
        """The lidar whose lasers are the first 32, as its first sweep tells."""
        return lower_half_is(read_returns(self.sweep_path(int(self.stamps_ns[0]))), self.calibration)

    @cached_property
    def lidars(self) -> dict[str, Lidar]:
        """Both lidars and how they turn, as the first sweep tells."""
        returns = read_returns(self.sweep_path(int(self.stamps_ns[0])))
        found = {}
        for name in LIDARS:
            T_ego_lidar = self.calibration.T_ego_lidar[name]
            points = points_of(returns, T_ego_lidar, name == self.lower_half)
            found[name] = Lidar(name, T_ego_lidar, lidar_model(points, T_ego_lidar, turn_s(returns)))
        return found

    def sweep_path(self, stamp_ns: int) -> Path:
        """A sweep's file."""
        return self.folder / "sensors" / "lidar" / f"{stamp_ns}.feather"

    def image_path(self, camera: str, stamp_ns: int) -> Path:
        """An image's file."""
        return self.folder / "sensors" / "cameras" / camera / f"{stamp_ns}.jpg"

    def exposures_ns(self, camera: str, keyframes_ns: NDArray[np.int64]) -> dict[int, int]:
        """The camera's exposure for each keyframe's stamp that has one: that of the nearest image.

        Where a log has no images at all every camera is taken to look at the keyframes' stamps: depth is made from
        calibration alone, and who asks for the image is told that there is none.
        """
        if not self.images_ns:
            return {stamp_ns: stamp_ns for stamp_ns in keyframes_ns.tolist()}
        images_ns = self.images_ns.get(camera)
        if images_ns is None:
            return {}
        nearest = images_ns[np.abs(images_ns[None] - keyframes_ns[:, None]).argmin(axis=1)]
        near = np.abs(nearest - keyframes_ns) <= NEAREST_IMAGE_NS
        return dict(zip(keyframes_ns[near].tolist(), nearest[near].tolist(), strict=True))

    def fingerprint(self) -> str:
        """A digest of the tables and of the names of sweeps and images."""
        digest = sha256(b"densegt argoverse2 input 1")
        tables = (POSES, "annotations.feather", *(f"calibration/{n}.feather" for n in _CALIBRATION))
        for name in tables:
            path = self.folder / name
            digest.update(f"{name} {path.exists()}\n".encode())
            if path.exists():
                digest.update(sha256(read_bounded(path, MAX_SWEEP_BYTES)).digest())
        digest.update(self.stamps_ns.tobytes())
        for camera, stamps_ns in self.images_ns.items():
            digest.update(f"{camera} {len(stamps_ns)}\n".encode() + stamps_ns.tobytes())
        return digest.hexdigest()


_CALIBRATION = ("egovehicle_SE3_sensor", "intrinsics")


def _stamps_ns(folder: Path, suffix: str) -> NDArray[np.int64]:
    """Stamps that files are named by, increasing.

    Raises:
        InputError: a file of that kind is named otherwise.
    """
    names = [path.stem for path in folder.glob(f"*{suffix}") if not path.name.startswith(".")]
    for name in names:
        if not (name.isascii() and name.isdecimal() and len(name) <= 19 and int(name) < 2**62):
            raise InputError(f"{folder / name}{suffix}: a file here is named by its stamp in nanoseconds")
    return np.array(sorted({int(name) for name in names}), dtype=np.int64)
