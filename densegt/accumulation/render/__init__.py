"""A cloud seen by a camera: frustum, z-buffer, surfels, visibility, interpolation, confidence."""
