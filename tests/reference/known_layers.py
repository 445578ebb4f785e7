"""Slow twins of densegt.kernels.known_layers."""

from __future__ import annotations


def known_layers(depth_m, source, confidence, excluded, out_m, out_source, out_confidence):
    for i, (z, code, sure) in enumerate(zip(depth_m, source, confidence, strict=True)):
        out_m[i], out_source[i], out_confidence[i] = (z, code, sure / 255) if z > 0 and code != excluded else (0, 0, 0)
