"""Monocular 3D boxes of vehicles, learned from shapes, masks and depth instead of 3D labels."""
