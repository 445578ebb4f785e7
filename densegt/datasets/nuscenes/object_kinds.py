"""From nuScenes' categories to kinds of objects."""

from __future__ import annotations

from densegt.datasets.scene import ObjectKind

_BY_PREFIX = {
    "vehicle.bicycle": ObjectKind.TWO_WHEELER,
    "vehicle.motorcycle": ObjectKind.TWO_WHEELER,
    "vehicle.trailer": ObjectKind.TRAILER,
    "vehicle.": ObjectKind.RIGID_VEHICLE,
    "human.": ObjectKind.PERSON,
    "animal": ObjectKind.PERSON,
}


def object_kind(category: str) -> ObjectKind:
    """The kind of a category such as vehicle.car; animals move as people do."""
    return next((kind for prefix, kind in _BY_PREFIX.items() if category.startswith(prefix)), ObjectKind.OTHER)
