"""From the tracklets' eight words to kinds of objects and to detection classes."""

from __future__ import annotations

from densegt.datasets.scene import ObjectKind

_KIND_OF = {
    "Car": ObjectKind.RIGID_VEHICLE,
    "Van": ObjectKind.RIGID_VEHICLE,
    "Truck": ObjectKind.RIGID_VEHICLE,
    "Tram": ObjectKind.RIGID_VEHICLE,
    # Trailers, Segways and the like: they may move.
    "Misc": ObjectKind.RIGID_VEHICLE,
    "Pedestrian": ObjectKind.PERSON,
    "Person (sitting)": ObjectKind.PERSON,
    "Cyclist": ObjectKind.TWO_WHEELER,
}
_CLASS_OF = {
    "Car": "car",
    "Van": "car",
    "Truck": "truck",
    "Pedestrian": "pedestrian",
    "Person (sitting)": "pedestrian",
    "Cyclist": "bicycle",
}


def object_kind(category: str) -> ObjectKind:
    """The kind of a category such as Car."""
    return _KIND_OF.get(category, ObjectKind.OTHER)


def class_of(category: str) -> str | None:
    """The detection class of a category, see `densegt.datasets.detection_classes`."""
    return _CLASS_OF.get(category)
