"""Slow, obvious twins of densegt.depth: one pixel at a time, straight from the definitions."""

from __future__ import annotations

import math

import numpy as np


def best_match(depth_m, truth_m, pixels):
    """Signed error in tolerances against the best of the 3x3 truths; ties go to the nearer truth; inf without any."""
    height, width = truth_m.shape
    out = []
    for row, col in zip(*np.nonzero(pixels), strict=True):
        errors = []
        for r in range(max(row - 1, 0), min(row + 2, height)):
            for c in range(max(col - 1, 0), min(col + 2, width)):
                t = float(truth_m[r, c])
                if math.isfinite(t) and t > 0:
                    errors.append((float(depth_m[row, col]) - t) / max(0.5, 0.05 * t))
        out.append(min(errors, key=lambda e: (abs(e), -e), default=math.inf))
    return np.array(out)


def figures(depth_m, truth_m, *, max_depth_m):
    """The main figures of one image as a dictionary."""
    counted = predicted = outliers = too_far = predictions = false_positives = 0
    errors = []
    height, width = truth_m.shape
    for row in range(height):
        for col in range(width):
            p, t = float(depth_m[row, col]), float(truth_m[row, col])
            has_p, has_t = math.isfinite(p) and p > 0, math.isfinite(t) and t > 0
            one = np.zeros(truth_m.shape, dtype=bool)
            one[row, col] = True
            match = best_match(depth_m, truth_m, one)[0] if has_p else None
            predictions += has_p
            false_positives += has_p and p < max_depth_m and match == math.inf
            if not has_t or t >= max_depth_m:
                continue
            counted += 1
            if has_p:
                predicted += 1
                outliers += abs(match) > 1
                too_far += match > 1
                errors.append((p - t, t, p))
    n = len(errors)
    return {
        "counted": counted,
        "predicted": predicted,
        "outliers": outliers,
        "right_percent": 100 * (predicted - outliers) / counted,
        "coverage_percent": 100 * predicted / counted,
        "outlier_percent": 100 * outliers / predicted,
        "too_far_percent": 100 * too_far / outliers,
        "mae_m": sum(abs(e) for e, _, _ in errors) / n,
        "rmse_m": math.sqrt(sum(e * e for e, _, _ in errors) / n),
        "median_m": float(np.median([abs(e) for e, _, _ in errors])),
        "bias_m": sum(e for e, _, _ in errors) / n,
        "abs_rel": sum(abs(e) / t for e, t, _ in errors) / n,
        "sq_rel_m": sum(e * e / t for e, t, _ in errors) / n,
        "imae_per_km": sum(abs(1000 / (t + e) - 1000 / t) for e, t, _ in errors) / n,
        "irmse_per_km": (sum((1000 / (t + e) - 1000 / t) ** 2 for e, t, _ in errors) / n) ** 0.5,
        "delta1_percent": 100 * sum(max(p / t, t / p) < 1.25 for _, t, p in errors) / n,
        "delta3_percent": 100 * sum(max(p / t, t / p) < 1.25**3 for _, t, p in errors) / n,
        "false_positive_percent": 100 * false_positives / predictions,
    }
