"""Detectors on points: PIXOR, PointRCNN, pseudo-LiDAR."""
