"""From Argoverse 2's thirty categories to kinds of objects and to detection classes."""

from __future__ import annotations

from densegt.datasets.scene import ObjectKind

_KINDS = {
    ObjectKind.RIGID_VEHICLE: (
        "REGULAR_VEHICLE", "LARGE_VEHICLE", "BUS", "SCHOOL_BUS", "ARTICULATED_BUS", "BOX_TRUCK", "TRUCK", "TRUCK_CAB",
        "RAILED_VEHICLE",
    ),
    ObjectKind.TRAILER: ("VEHICULAR_TRAILER",),
    ObjectKind.TWO_WHEELER: (
        "BICYCLE", "BICYCLIST", "MOTORCYCLE", "MOTORCYCLIST", "WHEELED_DEVICE", "WHEELED_RIDER",
    ),
    ObjectKind.PERSON: ("PEDESTRIAN", "OFFICIAL_SIGNALER", "STROLLER", "WHEELCHAIR", "DOG", "ANIMAL"),
}  # fmt: skip
_KIND_OF = {category: kind for kind, categories in _KINDS.items() for category in categories}

# Riders have a box of their own beside their machine's, and nuScenes has none for them.
_CLASS_OF = {
    "REGULAR_VEHICLE": "car",
    "LARGE_VEHICLE": "truck",
    "BOX_TRUCK": "truck",
    "TRUCK": "truck",
    "TRUCK_CAB": "truck",
    "BUS": "bus",
    "SCHOOL_BUS": "bus",
    "ARTICULATED_BUS": "bus",
    "VEHICULAR_TRAILER": "trailer",
    "PEDESTRIAN": "pedestrian",
    "OFFICIAL_SIGNALER": "pedestrian",
    "MOTORCYCLE": "motorcycle",
    "BICYCLE": "bicycle",
    "CONSTRUCTION_CONE": "traffic_cone",
}


def object_kind(category: str) -> ObjectKind:
    """The kind of a category; what stands by the road (bollards, signs, parked message boards) is OTHER."""
    return _KIND_OF.get(category, ObjectKind.OTHER)


def class_of(category: str) -> str | None:
    """The detection class of a category, see `densegt.datasets.detection_classes`."""
    return _CLASS_OF.get(category)
