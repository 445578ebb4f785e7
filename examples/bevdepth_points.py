"""BEVDepth's depth points straight from a store, in place of files: 12 MB an image at full size are not written.

In `bevdepth/datasets/nusc_det_dataset.py`:

    from bevdepth_points import DepthPoints
    self.depth_points = DepthPoints("depth")                            # once, in __init__
    point_depth = self.depth_points(cam_info[cam]["filename"])          # in get_image

The last line takes the place of `self.get_lidar_depth(...)`, which projects one sweep; in the first releases and their
forks of `np.fromfile(...).reshape(-1, 3)`, which reads `depth_gt/<image name>.bin`. Stores hold keyframes.

Run by itself it compares the store with files that `densegt export --format bevdepth-bin` wrote:

    python bevdepth_points.py depth data/nuScenes
"""

import sys
from pathlib import Path

import h5py
import numpy as np


class DepthPoints:
    """Points (N,3) float32 of an image by its file's name: u, v in pixels of the full image, metres; far to near.

    Args:
        store: folder of `densegt accumulate` or `complete`.
        keep_every: thin out at random to one point of so many; BEVDepth pools 16x16 pixels into one.
    """

    def __init__(self, store: str, keep_every: int = 1) -> None:
        self.keep_every = keep_every
        self.place = {}
        for path in sorted(Path(store).glob("*.h5")):
            with h5py.File(path) as file:
                for sample, cameras in file.items():
                    for channel, image in cameras.items():
                        self.place[Path(image.attrs["filename"]).name] = (path, f"{sample}/{channel}")

    def __call__(self, name: str) -> np.ndarray:
        """Points of one image."""
        path, key = self.place[Path(name).name]
        with h5py.File(path) as file:
            depth_m = file[key]["depth"][:].astype(np.float32) / 256
        row, column = np.nonzero(depth_m)
        if self.keep_every > 1:
            kept = np.random.default_rng().random(len(row)) * self.keep_every < 1
            row, column = row[kept], column[kept]
        # A quarter of a pixel in: cutting, rounding and mirroring all lead to the same pixel.
        points = np.stack([column + 0.25, row + 0.25, depth_m[row, column]], axis=1)
        # The loader lets the last point of a pixel stay, so the nearest comes last.
        return points[np.argsort(-points[:, 2], kind="stable")].astype(np.float32)


if __name__ == "__main__":
    points, written = DepthPoints(sys.argv[1]), sorted(Path(sys.argv[2], "depth_gt").glob("*.bin"))
    same = sum(
        np.array_equal(points(path.name.removesuffix(".bin")), np.fromfile(path, np.float32).reshape(-1, 3))
        for path in written
    )
    print(f"{same} of {len(written)} files are the same as the store")
    sys.exit(same != len(written))
