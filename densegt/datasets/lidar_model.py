"""How a spinning lidar's turn relates to its time stamp."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LidarModel:
    """How a spinning lidar's turn relates to its time stamp.

    Attributes:
        clockwise: the turn's direction, seen from above.
        period_s: duration of one turn.
        scan_start_azimuth_rad: azimuth in ego (0 ahead, left positive), seen from the lidar, where a turn begins and
            ends.
        stamp_fraction: where in the turn the stamp lies; 1 is its end.
        compensated: points are already moved to the ego pose at the stamp.
    """

    clockwise: bool = True
    period_s: float = 0.05
    scan_start_azimuth_rad: float = float(np.deg2rad(110.0))
    stamp_fraction: float = 1.0
    compensated: bool = True


# HDL-32E as nuScenes publishes it: stamp at the end of the turn, ego motion already taken out.
NUSCENES = LidarModel()
# HDL-64E as KITTI's raw recordings have it: stamp when the beam faces ahead, in the middle of the turn.
KITTI = LidarModel(period_s=0.1, scan_start_azimuth_rad=float(np.pi), stamp_fraction=0.5, compensated=False)
LIDAR_MODELS = {"nuscenes": NUSCENES, "kitti": KITTI}
