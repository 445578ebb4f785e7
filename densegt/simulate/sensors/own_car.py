"""The recording car as its own lidar sees it."""

from __future__ import annotations

from densegt.simulate.meshes.material import Material
from densegt.simulate.meshes.mesh import Mesh, join
from densegt.simulate.meshes.primitives import box


def own_car() -> Mesh:
    """Roof, bonnet, boot and mirrors in the ego frame."""
    white = (0.7, 0.7, 0.7)
    return join(
        [
            box((0.7, 0, 1.35), (1.7, 1.12, 0.30), Material.PAINT, white),
            box((2.55, 0, 0.80), (1.15, 1.40, 0.30), Material.PAINT, white),
            box((-0.75, 0, 0.90), (0.6, 1.35, 0.30), Material.PAINT, white),
            *[box((1.7, y, 1.0), (0.1, 0.2, 0.15), Material.PAINT, white) for y in (-0.95, 0.95)],
        ]
    )
