"""Depth scored on real data: rebuilt without a keyframe's own sweeps, and compared with them."""
