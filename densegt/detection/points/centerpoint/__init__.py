"""CenterPoint on pillars: what several sweeps say of each column of the ground plane, objects as their centres."""
