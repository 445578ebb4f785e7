"""Slow twins of densegt.kernels.confidence_features."""

from __future__ import annotations

import numpy as np

from .confidence_network import confidence_network


def confidence_features(images, surfels, out):
    known = images.depth_m > 0
    of = images.surfel[known]
    has = of >= 0
    surfel = np.maximum(of, 0)
    share = images.support / np.maximum(images.support_around, 1e-6)
    ratio = images.first_weight / np.maximum(images.second_weight, 1e-9)

    def column(values):
        return np.where(has, values[surfel], 0) if len(values) else np.zeros(len(of))

    columns = [
        np.log1p(images.agree[known].astype(float)),
        np.log1p(images.farther[known].astype(float)),
        np.minimum(images.depth_m / images.nearest_around_m - 1, 1)[known],
        np.minimum(images.depth_m / images.nearest_close_m - 1, 1)[known],
        np.log(np.clip(images.support, 1e-3, 1e6))[known],
        np.log(np.clip(share, 1e-3, 1e3))[known],
        np.log(np.clip(ratio, 1e-2, 1e2))[known],
        column(surfels.moving & ~surfels.transient),
        np.where(has, 1 - column(surfels.trust), 0),
        1 - images.known_around[known],
        np.log(images.depth_m[known]),
        column(np.minimum(np.abs(surfels.age_s), 3)),
        column(surfels.incidence),
        ~images.measured[known] & ~images.between[known],
        images.between[known],
        column(surfels.transient),
        images.penetration[known],
    ]
    out[:] = np.stack(columns, axis=1)


def confidence_of_features(images, surfels, model, out):
    known = images.depth_m > 0
    rows = np.empty((known.sum(), 17))
    confidence_features(images, surfels, rows)
    out[:] = 0
    confidence = np.empty(len(rows))
    confidence_network(rows, model, confidence)
    out[known] = confidence
