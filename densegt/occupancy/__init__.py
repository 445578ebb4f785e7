"""Voxels from clouds and beams: occupied, free, unobserved; masks, classes, flow, and the formats they are kept in."""
