"""Pseudo-LiDAR: depth maps become point clouds that a lidar's detector reads, and its gradient flows back to them."""
