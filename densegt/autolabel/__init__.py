"""Boxes and shapes of vehicles that nobody labelled: found in all sweeps, fitted as whole tracks, verified."""
