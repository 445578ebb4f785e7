"""What every street is written with: nuScenes tables, sweeps, pictures and the exact store."""
