"""Slow twins of densegt.kernels.blend_surfels."""

from __future__ import annotations

import numpy as np

from densegt.kernels.layer_buffer import BEFORE, BEST, BEST_WEIGHT, FARTHEST, WEIGHT, WEIGHTED_DEPTH

from .splat_surfels import covered


def blend_surfels(surfels, which, farthest, buffer, reaches_behind):
    for m, i in enumerate(which):
        reaches_behind[m] = False
        for strip, lane, w, a, e in covered(surfels, i):
            pixel = buffer[strip]
            reaches_behind[m] |= w < pixel[FARTHEST + lane]
            if not pixel[FARTHEST + lane] <= w < pixel[BEFORE + lane]:
                continue
            weight = np.float32(surfels.planes[i, 13] * (1 - a) * (1 - e))
            pixel[WEIGHTED_DEPTH + lane] += weight / w
            pixel[WEIGHT + lane] += weight
            if weight > pixel[BEST_WEIGHT + lane]:
                pixel[BEST_WEIGHT + lane], pixel[BEST + lane] = weight, np.int32(i).view(np.float32)
