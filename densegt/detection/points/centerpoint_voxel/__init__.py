"""CenterPoint on sparse voxels: only where there are points is anything computed, until height is folded away."""
