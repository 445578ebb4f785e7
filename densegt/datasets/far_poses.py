"""Ego poses that no car can have got to: one wrong row would make a scene as large as a continent."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.scene import Camera, Scene, Sweep
from densegt.datasets.set_aside import SetAside
from densegt.errors import InputError

# From one datum to the next, whatever their stamps; a path may jump where its positioning finds itself again.
JUMP_M = 1000.0
MAX_SPEED_MPS = 150.0


def without_far_poses(scene: Scene, *, strict: bool = False) -> Scene:
    """The scene without sweeps and images whose ego pose cannot be reached from those around it in time.

    Where most of them cannot be reached from each other all are kept: then it is not a row that is wrong.

    Raises:
        InputError: strict: there is one.
    """
    data: list[Sweep | Camera] = sorted((*scene.sweeps, *scene.cameras), key=lambda datum: datum.timestamp_us)
    if len(data) < 3:
        return scene
    places = np.array([datum.T_global_ego[:3, 3] for datum in data])
    near = reachable(places, np.array([datum.timestamp_us for datum in data]) * 1e-6)
    if near.all() or 2 * np.count_nonzero(near) <= len(data):
        return scene
    bad = [_set_aside(data[i], places[near]) for i in np.flatnonzero(~near)]
    if strict:
        raise InputError(str(bad[0]))
    far = {id(data[i]) for i in np.flatnonzero(~near)}
    sweeps = tuple(sweep for sweep in scene.sweeps if id(sweep) not in far)
    return replace(
        scene,
        sweeps=sweeps,
        lidars=tuple(lidar for lidar in scene.lidars if any(sweep.lidar is lidar for sweep in sweeps)),
        cameras=tuple(camera for camera in scene.cameras if id(camera) not in far),
        set_aside=(*scene.set_aside, *bad),
    )


def reachable(places: NDArray[np.float64], times_s: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which places (N,3) m at times (N,) s, in order, a car can have passed on one drive: those of the longest chain.

    A chain goes on over places that it cannot reach.
    """
    chain = np.zeros(len(places), dtype=np.intp)
    # The last place of each chain, and when.
    end, end_s, chains = np.empty_like(places), np.empty_like(times_s), 0
    for i, (place, time_s) in enumerate(zip(places, times_s, strict=True)):
        with np.errstate(over="ignore"):
            away_m = np.linalg.norm(place - end[:chains], axis=1)
        within = np.flatnonzero(away_m <= JUMP_M + MAX_SPEED_MPS * (time_s - end_s[:chains]))
        chain[i] = within[0] if len(within) else chains
        chains = max(chains, int(chain[i]) + 1)
        end[chain[i]], end_s[chain[i]] = place, time_s
    near: NDArray[np.bool_] = chain == np.bincount(chain).argmax()
    return near


def _set_aside(datum: Sweep | Camera, near: NDArray[np.float64]) -> SetAside:
    is_sweep = isinstance(datum, Sweep)
    with np.errstate(over="ignore"):
        away_m = float(np.linalg.norm(near - datum.T_global_ego[:3, 3], axis=1).min())
    at = f"[{', '.join(f'{x:.6g}' for x in datum.T_global_ego[:3, 3])}]"
    why = f"its ego pose at {datum.timestamp_us} us, {at} m, is {away_m / 1000:.3g} km from all others"
    path = datum.path if isinstance(datum, Sweep) else datum.image_path
    return SetAside("sweep" if is_sweep else "image", str(path), why)
