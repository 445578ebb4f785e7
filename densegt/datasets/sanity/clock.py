"""Do time stamps, rates and speeds make sense?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from densegt.datasets.sanity.finding import SanityFinding
from densegt.datasets.scene import Scene

CHECK = "clock"
PERIOD_S = (0.02, 1.05)
# Seconds from a keyframe's sweep to its images.
APART_S = 0.3
UNITS = {1000.0: "nanoseconds", 0.001: "milliseconds", 1e-6: "seconds"}
MAX_SPEED_MPS = 70.0
SPARSE_S = 0.3


def check_clock(scene: Scene) -> Iterator[SanityFinding]:
    """Steps between sweeps, from sweeps to images, and the speed that poses and stamps make."""
    stamps_us = np.array([sweep.timestamp_us for sweep in scene.sweeps], dtype=np.float64)
    steps_s = np.diff(stamps_us) * 1e-6
    for lidar in scene.lidars:
        own = np.array([s.timestamp_us for s in scene.sweeps if s.lidar is lidar], dtype=np.float64)
        period_s = float(np.median(np.diff(own))) * 1e-6 if len(own) > 1 else 0.1
        if not PERIOD_S[0] <= period_s <= PERIOD_S[1] and not _sparse(scene):
            unit = next((u for f, u in UNITS.items() if PERIOD_S[0] <= period_s / f <= PERIOD_S[1]), None)
            usual = "check the stamps and their unit"
            advice = f"stamps seem to be in {unit}, microseconds are wanted" if unit else usual
            facts = f"{period_s:.3g} s from sweep to sweep"
            yield SanityFinding(CHECK, f"lidar {lidar.channel}", facts, advice, fatal=True)
            return
    if len(steps_s):
        places = np.array([sweep.T_global_ego[:3, 3] for sweep in scene.sweeps])
        ways_m = np.linalg.norm(np.diff(places, axis=0), axis=1)
        moving = steps_s > 1e-3
        speed_mps = float(np.median(ways_m[moving] / steps_s[moving])) if moving.any() else 0.0
        if speed_mps > MAX_SPEED_MPS:
            facts = f"by poses and stamps the car drives {speed_mps:.0f} m/s"
            # Keyframes alone may have been put together from places far apart.
            apart = _sparse(scene) and float(np.median(steps_s)) > SPARSE_S
            yield SanityFinding(CHECK, "", facts, "check the units of both", fatal=not apart)
    yield from _images(scene)


def _sparse(scene: Scene) -> bool:
    """Keyframes alone may be seconds apart."""
    return all(sweep.is_keyframe for sweep in scene.sweeps)


def _images(scene: Scene) -> Iterator[SanityFinding]:
    own = {sweep.sample_token: sweep.timestamp_us for sweep in scene.sweeps if sweep.is_keyframe}
    apart_s: dict[str, list[float]] = {}
    for camera in scene.cameras:
        if camera.sample_token in own:
            apart_s.setdefault(camera.channel, []).append((camera.timestamp_us - own[camera.sample_token]) * 1e-6)
    for channel, seconds in apart_s.items():
        median_s = float(np.median(seconds))
        if abs(median_s) > APART_S:
            facts = f"it exposes {median_s:+.3g} s from the sweep of its keyframe"
            advice = "check its clock, time zone and which image belongs to which keyframe"
            yield SanityFinding(CHECK, f"camera {channel}", facts, advice)
