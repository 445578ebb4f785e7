"""Slow twin of densegt.kernels.free_space_counts."""

from __future__ import annotations

from .free_space import free_space_votes


def free_space_counts(xyz, sweep, asked, images, margin, passed, met):
    free_space_votes(xyz, sweep, asked, images, margin, passed, met)
