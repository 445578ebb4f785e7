"""Depth scored on real data: rebuilt without a keyframe's own sweep, and compared with it."""
