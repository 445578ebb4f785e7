"""Slow twins of densegt.kernels.quantise."""

from __future__ import annotations

import numpy as np


def depth_steps(depth_m, steps_per_m, out):
    for i, z in enumerate(depth_m):
        out[i] = round(float(z) * steps_per_m) if 0 < z <= 65535 / steps_per_m else 0


def age_steps(age_s, out):
    for i, age in enumerate(age_s.astype(float)):
        out[i] = 0 if np.isnan(age) else round(float(np.clip(age * 1e3, -32768, 32767)))


def probability_steps(probability, out):
    for i, p in enumerate(probability):
        out[i] = 0 if np.isnan(p) else np.rint(np.float32(255) * np.clip(p, np.float32(0), np.float32(1)))


def byte_planes(values, out):
    out[:] = values.T


def join_two_planes(low, high, out):
    out[:] = low + 256 * high.astype(np.uint16)
