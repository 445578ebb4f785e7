"""Which bundles of rays may come into a sphere: all that do, and none whose cone points past it."""

from __future__ import annotations

import numpy as np

from densegt.simulate.sensors.bundles import BUNDLE, Rays, bundled, may_meet


def test_all_that_meet_a_sphere_and_none_whose_cone_points_past_it(rng) -> None:
    count = 400
    middle = rng.normal(size=(count, 1, 3))
    way = middle + 0.1 * rng.normal(size=(count, BUNDLE, 3))
    way = (way / np.linalg.norm(way, axis=2, keepdims=True)).astype(np.float32)
    origin = (rng.normal(size=(count, 1, 3)) + 0.02 * rng.normal(size=(count, BUNDLE, 3))).astype(np.float32)
    flat = way.reshape(-1, 3)
    bundles = bundled(Rays(origin.reshape(-1, 3), flat, np.zeros(len(flat), np.int64), np.zeros(1)))
    met, past = 0, 0
    for sphere, radius_m in zip(rng.uniform(-12, 12, (30, 3)), rng.uniform(0.3, 4, 30), strict=True):
        away = sphere - origin
        ahead = np.maximum((away * way).sum(axis=2), 0)
        meets = (np.linalg.norm(ahead[..., None] * way - away, axis=2) < radius_m).any(axis=1)
        asked = may_meet(bundles, sphere, radius_m)
        assert asked[meets].all()
        # Angles themselves: the cone's half opening and half of what the sphere fills, a degree to spare.
        to = sphere - bundles.origin
        far_m = np.linalg.norm(to, axis=1)
        angle = np.arccos((to * bundles.axis).sum(axis=1) / far_m)
        fills = np.arcsin(np.minimum((radius_m + bundles.spread_m) / far_m, 1))
        clear = (angle > np.arccos(bundles.cosine) + fills + np.deg2rad(1)) & (fills < 1.5) & ~bundles.all_round
        assert not asked[clear].any()
        met, past = met + int(meets.sum()), past + int(clear.sum())
    assert met > 300
    assert past > 500
