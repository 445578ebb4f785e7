"""Materials of meshes: what lidar and cameras make of a surface."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Material(IntEnum):
    """Codes of what a triangle is made of."""

    ASPHALT = 0
    PAVEMENT = 1
    KERB = 2
    GRASS = 3
    SOIL = 4
    PLASTER = 5
    BRICK = 6
    CONCRETE = 7
    WOOD = 8
    METAL = 9
    PAINT = 10
    GLASS = 11
    RUBBER = 12
    PLASTIC = 13
    CLOTH = 14
    SKIN = 15
    LEAF = 16
    BARK = 17
    RETRO = 18
    LAMP = 19
    INTERIOR = 20
    MESH = 21
    ROOF = 22
    WATER = 23


@dataclass(frozen=True)
class Look:
    """How a material answers light.

    Attributes:
        lidar: diffuse reflectance at 905 nm of a mid-grey surface; colour scales it by `tint`.
        tint: 0 = the colour does not matter to the lidar, 1 = all of it does.
        gloss: share of light that is mirrored at normal incidence.
        retro: gain of a retroreflector, 0 = none.
        grain: contrast of the fine texture; patch: contrast over metres.
    """

    lidar: float
    tint: float = 0.5
    gloss: float = 0.0
    retro: float = 0.0
    grain: float = 0.06
    patch: float = 0.06


_LOOKS = {
    Material.ASPHALT: Look(0.13, 0.2, grain=0.16, patch=0.16),
    Material.PAVEMENT: Look(0.24, 0.2, grain=0.08, patch=0.12),
    Material.KERB: Look(0.28, 0.2, grain=0.08, patch=0.12),
    Material.GRASS: Look(0.26, 0.1, grain=0.30, patch=0.25),
    Material.SOIL: Look(0.25, 0.2, grain=0.20, patch=0.20),
    Material.PLASTER: Look(0.32, 0.5, grain=0.05, patch=0.12),
    Material.BRICK: Look(0.25, 0.3, grain=0.10, patch=0.12),
    Material.CONCRETE: Look(0.24, 0.3, grain=0.08, patch=0.16),
    Material.WOOD: Look(0.26, 0.4, grain=0.18, patch=0.12),
    Material.METAL: Look(0.22, 0.4, gloss=0.15, grain=0.03, patch=0.05),
    Material.PAINT: Look(0.26, 0.9, gloss=0.05, grain=0.0, patch=0.0),
    Material.GLASS: Look(0.02, 0.0, gloss=0.06, grain=0.0, patch=0.0),
    Material.RUBBER: Look(0.05, 0.2, grain=0.08, patch=0.0),
    Material.PLASTIC: Look(0.25, 0.8, gloss=0.03, grain=0.02, patch=0.02),
    Material.CLOTH: Look(0.24, 0.4, grain=0.10, patch=0.10),
    Material.SKIN: Look(0.45, 0.3, grain=0.04, patch=0.04),
    Material.LEAF: Look(0.22, 0.1, grain=0.15, patch=0.10),
    Material.BARK: Look(0.18, 0.3, grain=0.30, patch=0.15),
    Material.RETRO: Look(0.60, 0.3, retro=60.0, grain=0.0, patch=0.03),
    Material.LAMP: Look(0.40, 0.3, gloss=0.06, retro=8.0, grain=0.0, patch=0.0),
    Material.INTERIOR: Look(0.20, 0.5, grain=0.10, patch=0.20),
    Material.MESH: Look(0.25, 0.4, grain=0.0, patch=0.0),
    Material.ROOF: Look(0.30, 0.4, grain=0.12, patch=0.15),
    Material.WATER: Look(0.02, 0.0, gloss=0.05, grain=0.0, patch=0.0),
}


def table(name: str) -> NDArray[np.float32]:
    """A field of `Look` for every material code, as an array to index."""
    return np.array([getattr(_LOOKS[m], name) for m in Material], dtype=np.float32)
