"""Slow twins of densegt.kernels.confidence_features."""

from __future__ import annotations

import numpy as np


def confidence_features(
    depth_m,
    row_of,
    measured,
    between,
    agree,
    farther,
    nearest_around_m,
    nearest_close_m,
    support,
    support_around,
    first_weight,
    second_weight,
    known_around,
    seen_through,
    moving,
    passing,
    trust,
    age_s,
    incidence,
    out,
):
    known = depth_m > 0
    of = row_of[known]
    has = of >= 0
    surfel = np.maximum(of, 0)
    share = support / np.maximum(support_around, 1e-6)
    ratio = first_weight / np.maximum(second_weight, 1e-9)

    def column(values):
        return np.where(has, values[surfel], 0) if len(values) else np.zeros(len(of))

    columns = [
        np.log1p(agree[known].astype(float)),
        np.log1p(farther[known].astype(float)),
        np.minimum(depth_m / nearest_around_m - 1, 1)[known],
        np.minimum(depth_m / nearest_close_m - 1, 1)[known],
        np.log(np.clip(support, 1e-3, 1e6))[known],
        np.log(np.clip(share, 1e-3, 1e3))[known],
        np.log(np.clip(ratio, 1e-2, 1e2))[known],
        column(moving & ~passing),
        np.where(has, 1 - column(trust), 0),
        1 - known_around[known],
        np.log(depth_m[known]),
        column(np.minimum(np.abs(age_s), 3)),
        column(incidence),
        ~measured[known] & ~between[known],
        between[known],
        column(passing),
        seen_through[known],
    ]
    out[:] = np.stack(columns, axis=1)
