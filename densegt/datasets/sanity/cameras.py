"""Can the cameras' intrinsics, mounting and poses be what they say?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from densegt.datasets.sanity.finding import SanityFinding
from densegt.datasets.scene import Camera, Scene
from densegt.geometry import se3

CHECK = "cameras"
# Where the principal point may lie, in shares of the image; focal length in widths.
MIDDLE, FOCAL = (0.25, 0.75), (0.2, 8.0)
# An image's vertical may lean so far from the ego's.
MAX_LEAN_DEG = 60.0
# From the car's place at exposure, told from the sweeps' poses, to the one that the image's row has.
MAX_APART_M = 0.1


def check_cameras(scene: Scene) -> Iterator[SanityFinding]:
    """Each channel's first image, and the poses of all."""
    first: dict[str, Camera] = {}
    for camera in scene.cameras:
        first.setdefault(camera.channel, camera)
    for channel, camera in first.items():
        yield from _intrinsics(channel, camera)
        down = camera.T_ego_cam[:3, 1]
        lean_deg = float(np.rad2deg(np.arccos(np.clip(-down[2], -1, 1))))
        if lean_deg > MAX_LEAN_DEG:
            facts = f"its image's downward side points {lean_deg:.0f} degrees away from down"
            advice = "T_ego_cam maps cam (x right, y down, z ahead) to ego; is it inverted, or in other axes?"
            yield SanityFinding(CHECK, f"camera {channel}", facts, advice, fatal=True)
    yield from _poses(scene)


def _intrinsics(channel: str, camera: Camera) -> Iterator[SanityFinding]:
    K, size = camera.K, np.array([camera.width_px, camera.height_px])
    middle = K[:2, 2] / size
    name = f"camera {channel}"
    if not (K[2] == [0, 0, 1]).all() or K[1, 0] != 0:
        facts = "K is no pinhole matrix [[f, s, u], [0, f, v], [0, 0, 1]]"
        yield SanityFinding(CHECK, name, facts, "is it transposed?", fatal=True)
    elif not ((middle > MIDDLE[0]) & (middle < MIDDLE[1])).all():
        facts = f"principal point ({K[0, 2]:.0f}, {K[1, 2]:.0f}) is not near the middle of {size[0]}x{size[1]} px"
        yield SanityFinding(CHECK, name, facts, "is K that of another image size?", fatal=True)
    elif not FOCAL[0] < K[0, 0] / size[0] < FOCAL[1] or not 0.5 < K[0, 0] / K[1, 1] < 2:
        facts = f"focal lengths {K[0, 0]:.4g} and {K[1, 1]:.4g} px for {size[0]}x{size[1]} px"
        yield SanityFinding(CHECK, name, facts, "check K", fatal=True)
    elif abs(K[0, 1]) > 0.01 * K[0, 0]:
        yield SanityFinding(CHECK, name, f"K has skew {K[0, 1]:.3g} px", "skew is not modelled", fatal=True)


def _poses(scene: Scene) -> Iterator[SanityFinding]:
    """Ego poses of images against those of the sweeps before and after."""
    stamps = np.array([sweep.timestamp_us for sweep in scene.sweeps], dtype=np.float64)
    stamps, rows = np.unique(stamps, return_index=True)
    if len(stamps) < 2:
        return
    apart, same = [], 0
    for camera in scene.cameras:
        k = int(np.clip(np.searchsorted(stamps, camera.timestamp_us) - 1, 0, len(stamps) - 2))
        share = (camera.timestamp_us - stamps[k]) / (stamps[k + 1] - stamps[k])
        if not -1 <= share <= 2 or stamps[k + 1] - stamps[k] > 0.3e6:
            continue
        before, after = (scene.sweeps[rows[i]].T_global_ego for i in (k, k + 1))
        expected = se3.interpolate(before, after, np.array([share]))[0]
        apart.append(float(np.linalg.norm(camera.T_global_ego[:3, 3] - expected[:3, 3])))
        same += any(np.array_equal(camera.T_global_ego, T) for T in (before, after)) and 0.05 < share < 0.95
    if apart and np.median(apart) > MAX_APART_M:
        facts = f"at exposure the images' ego poses are {np.median(apart):.2f} m from the path of the sweeps' poses"
        shared = "one pose seems to serve all sensors of a keyframe"
        advice = shared if 2 * same > len(apart) else "check their stamps and poses"
        yield SanityFinding(CHECK, "", facts, advice)
