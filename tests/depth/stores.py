"""Small depth stores for tests: a ground plane, a wall, a car, sky above."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import numpy as np
from click.testing import CliRunner

from densegt.datasets.scene import Camera
from densegt.depth.depth_map import DepthMap
from densegt.depth.store import SceneWriter

WIDTH_PX, HEIGHT_PX = 64, 36


def densegt(*arguments):
    """Run the command line in this process."""
    return CliRunner().invoke(import_module("densegt.cli.main").group, [str(a) for a in arguments])


def camera(*, sample="sample0", channel="CAM_FRONT", filename=None, timestamp_us=1_000_000, size=(WIDTH_PX, HEIGHT_PX)):
    filename = f"samples/{channel}/{sample}__{channel}.jpg" if filename is None else filename
    return Camera(
        token=f"{sample}-{channel}",
        sample_token=sample,
        channel=channel,
        image_path=Path("nowhere", filename),
        filename=filename,
        width_px=size[0],
        height_px=size[1],
        timestamp_us=timestamp_us,
        K=np.array([[50.0, 0, size[0] / 2], [0, 50.0, size[1] / 2], [0, 0, 1]]),
        T_ego_cam=np.eye(4),
        T_global_ego=np.eye(4),
    )


def world(size=(WIDTH_PX, HEIGHT_PX)):
    """Exact depth (H,W) and kinds (H,W) of a little street."""
    width, height = size
    row = np.arange(height)[:, None]
    depth_m = np.broadcast_to(1.5 * 50 / np.maximum(row - height / 2, 0.1), (height, width)).astype(np.float32).copy()
    depth_m[: height // 2 + 1] = 0
    kind = np.where(depth_m > 0, 1, 0).astype(np.uint8)
    depth_m[: height * 2 // 3, : width // 4] = 12.5
    kind[: height * 2 // 3, : width // 4] = 2
    for left, code, z in ((width // 2, 4, 8.0), (width * 3 // 4, 5, 20.0)):
        box = slice(height // 3, height * 3 // 4), slice(left, left + width // 8)
        depth_m[box], kind[box] = z, code
    return np.rint(depth_m * 256).astype(np.float32) / 256, kind


def depth_map(depth_m, source=None, age_s=0.0):
    depth_m = np.asarray(depth_m, dtype=np.float32)
    source = np.where(depth_m > 0, 2, 0) if source is None else source
    return DepthMap(depth_m, np.asarray(source, dtype=np.uint8), np.full(depth_m.shape, age_s, dtype=np.float32))


def write_store(folder, images, *, scene="scene-0001", config=None, overwrite=False):
    """Write (camera, depth_m, layers) triples as one scene."""
    with SceneWriter(Path(folder), scene, config or {"made": "by a test"}, overwrite=overwrite) as writer:
        for cam, depth_m, layers in images:
            writer.write(cam, depth_map(depth_m), layers)
    return Path(folder)
