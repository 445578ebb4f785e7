"""Semantic classes of the exact store."""

from __future__ import annotations

from enum import IntEnum


class Semantic(IntEnum):
    """What a surface belongs to."""

    NONE = 0
    ROAD = 1
    PAVEMENT = 2
    TERRAIN = 3
    BUILDING = 4
    WALL_OR_FENCE = 5
    POLE_OR_WIRE = 6
    SIGN = 7
    VEGETATION = 8
    FURNITURE = 9
    BRIDGE = 10
    CAR = 11
    TRUCK = 12
    BUS = 13
    TRAILER = 14
    MOTORCYCLE = 15
    BICYCLE = 16
    PEDESTRIAN = 17
    RIDER = 18
    BARRIER = 19
    ANIMAL = 20
    CONSTRUCTION = 21
