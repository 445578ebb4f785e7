"""Your own recording from arrays, in the folder that densegt reads: python write_custom_recording.py OUT

Put your loader in place of `measured`; then `densegt check --dataroot OUT` tells what is missing still.
"""

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

RECORDING = """\
lidars:
  TOP:
    T_ego_lidar: {xyz: [1.0, 0.0, 1.8], wxyz: [1, 0, 0, 0]}     # metres, from the lidar to the ego frame
    # Where the points carry no time_s: when is the stamp, and is ego motion taken out?
    model: {clockwise: true, period_s: 0.1, scan_start_azimuth_deg: 180, stamp_fraction: 0.5, compensated: true}
cameras:
  FRONT:
    T_ego_cam: {xyz: [1.5, 0.0, 1.5], wxyz: [0.5, -0.5, 0.5, -0.5]}  # x right, y down, z ahead
    K: [400.0, 400.0, 320.0, 180.0]                            # fx, fy, cx, cy in pixels
    size: [640, 360]
    distortion: none                                           # images are undistorted
"""
START_US = 1_600_000_000_000_000


def measured() -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Sweeps: stamp in us, ego x, y, z in a global frame, points (N,3) in the lidar's. Here: a road and a wall."""
    azimuth, elevation = np.meshgrid(np.linspace(-np.pi, np.pi, 900), np.deg2rad(np.linspace(-20, 5, 26)))
    beams = np.stack([np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)], -1)
    for k in range(10):
        with np.errstate(divide="ignore"):
            to_road = np.where(beams[..., 2] < 0, -1.8 / beams[..., 2], 100.0)
            to_wall = np.where(beams[..., 1] > 0, 6.0 / beams[..., 1], 100.0)
        reach = np.minimum(to_road, to_wall)[..., None]
        yield START_US + 100_000 * k, np.array([1.0 * k, 0.0, 0.0]), (beams * reach)[reach[..., 0] < 60]


def main(out: Path) -> None:
    """Write the recording."""
    scene = out / "scenes" / "drive-1"
    (scene / "sweeps" / "TOP").mkdir(parents=True)
    (out / "recording.yaml").write_text(RECORDING)
    with (scene / "poses.csv").open("w", newline="") as file:
        poses = csv.writer(file)
        poses.writerow(["timestamp_us", "x", "y", "z", "qw", "qx", "qy", "qz"])
        for stamp_us, ego, xyz in measured():
            poses.writerow([stamp_us, *ego, 1, 0, 0, 0])
            np.savez(scene / "sweeps" / "TOP" / f"{stamp_us}.npz", xyz=xyz.astype(np.float32))
    # images/FRONT/<stamp_us>.jpg and boxes.csv go beside them; both may be absent.


if __name__ == "__main__":
    main(Path(sys.argv[1]))
