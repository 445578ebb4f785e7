"""Every detector by name: how it is trained and answers, and the network that it is."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from densegt.detection.task import DetectionTask


class DetectorEntry(NamedTuple):
    """Where a detector's classes are, as module:class; imported only when they are asked for.

    Attributes:
        task: a `DetectionTask`.
        network: made of its own configuration and a `BevGrid`, where it reads points.
    """

    task: str
    network: str
    reads_points: bool


_PSEUDO_LIDAR = "densegt.detection.points.pseudo_lidar.task:PlTask"
DETECTORS = {
    "mono": DetectorEntry("densegt.detection.mono.task:MonoTask", "densegt.detection.mono.crop_net:CropNet", False),
    "mono-image": DetectorEntry(
        "densegt.detection.mono.image_task:MonoImageTask", "densegt.detection.mono.image_net:ImageNet", False
    ),
    "lss": DetectorEntry("densegt.detection.bev.task:LssTask", "densegt.detection.bev.lss:LiftSplat", False),
    "pixor": DetectorEntry(_PSEUDO_LIDAR, "densegt.detection.points.pixor.network:Pixor", True),
    "centerpoint": DetectorEntry(_PSEUDO_LIDAR, "densegt.detection.points.centerpoint.network:CenterPoint", True),
    "centerpoint-voxel": DetectorEntry(
        _PSEUDO_LIDAR, "densegt.detection.points.centerpoint_voxel.network:CenterPointVoxel", True
    ),
    "pointrcnn": DetectorEntry(_PSEUDO_LIDAR, "densegt.detection.points.pointrcnn.net:PointRcnn", True),
}
POINT_DETECTORS = tuple(name for name, entry in DETECTORS.items() if entry.reads_points)


def task_type(detector: str) -> type[DetectionTask]:
    """The task that trains a detector.

    Raises:
        KeyError: no such detector.
    """
    found: type[DetectionTask] = _imported(DETECTORS[detector].task)
    return found


def network_type(detector: str) -> Any:
    """The network's class.

    Raises:
        KeyError: no such detector.
    """
    return _imported(DETECTORS[detector].network)


def _imported(where: str) -> Any:
    module, name = where.split(":")
    return getattr(import_module(module), name)
