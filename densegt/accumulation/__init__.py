"""From sweeps to depth: timing, tracks, cloud, visibility, render, run."""
