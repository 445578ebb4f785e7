"""Materials: what surfaces are made of, for the lidar's returns and the pictures."""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Material(IntEnum):
    """Codes that the shading kernel and the lidar model know."""

    ASPHALT = 0
    PAVEMENT = 1
    GRASS = 2
    KERB = 3
    MARKING = 4
    WALL = 5
    WINDOW = 6
    FOLIAGE = 7
    BARK = 8
    METAL = 9
    PAINT = 10
    DARK_PAINT = 11
    CAR_GLASS = 12
    RUBBER = 13
    CLOTH = 14
    SKIN = 15
    SIGN = 16


REFLECTIVITY = np.array(
    [0.13, 0.22, 0.30, 0.28, 0.45, 0.35, 0.0, 0.32, 0.25, 0.35, 0.40, 0.012, 0.006, 0.05, 0.25, 0.35, 2.5]
)
"""Share of the lidar's light that comes back (0.9 micrometres), by `Material`; a sign is a mirror for it."""
