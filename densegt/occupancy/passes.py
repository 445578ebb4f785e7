"""Evidence against voxels: beams that passed through them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.cloud import Cloud
from densegt.geometry import se3
from densegt.kernels.carve_beams import Passes
from densegt.occupancy.beams import SceneBeams
from densegt.occupancy.boxes import Voxels, in_box
from densegt.occupancy.config import EvidenceConfig
from densegt.occupancy.hits import MOST
from densegt.occupancy.movers import PlacedMover
from densegt.occupancy.voxels import GridFrame

Bool = NDArray[np.bool_]


def all_passes(
    cloud: Cloud,
    beams: SceneBeams,
    frame: GridFrame,
    allowed: Bool,
    movers: Sequence[PlacedMover],
    config: EvidenceConfig,
) -> Passes:
    """What beams say of each voxel (X,Y,Z); where a mover is at the keyframe's time, only those of about then.

    Args:
        allowed: (S,) sweeps.
    """
    T_voxel_origin = frame.T_voxel_local(cloud.origin_global_m)
    now = np.abs(cloud.sweep_times_s - cloud.sweep_times_s[frame.sweep]) <= config.now_s
    others = spaced_sweeps(cloud, config.beams_every_m) & ~now
    passes, later = (Passes(*(np.zeros(frame.grid.shape, np.uint16) for _ in Passes._fields)) for _ in range(2))
    for sweeps, out in ((now, passes), (others, later)):
        beams.carve(sweeps & allowed, T_voxel_origin, config.carve_rule, out)
    for placed in movers:
        inside = voxels_of(placed, frame)
        later.beams[inside], later.slabs[inside] = 0, 0
    np.add(passes.beams, np.minimum(later.beams, MOST - passes.beams), out=passes.beams)
    passes.slabs[:] |= later.slabs
    return passes


def spaced_sweeps(cloud: Cloud, every_m: float) -> Bool:
    """Sweeps (S,) of which each is so far from the one before it; what lies between sees nothing new."""
    out = np.zeros(len(cloud.sweep_times_s), dtype=np.bool_)
    for lidar in np.unique(cloud.moments.lidar):
        sweeps = np.flatnonzero(cloud.moments.lidar == lidar)
        way_m = np.linalg.norm(np.diff(cloud.images.origin[sweeps], axis=0), axis=1)
        passed = np.floor(np.concatenate([[0.0], np.cumsum(way_m)]) / every_m)
        out[sweeps[np.unique(passed, return_index=True)[1]]] = True
    return out


def voxels_of(placed: PlacedMover, frame: GridFrame) -> Voxels:
    """Indices along x, y, z of the voxels that a mover's box touches."""
    T_grid_box = se3.inverse(frame.T_global_grid) @ placed.T_global_box
    return in_box(T_grid_box, placed.track.size_lwh_m, frame.grid, margin_m=frame.grid.voxel_m / 2)[0]
