"""Triangle meshes: what they are, simple ones, and how to put them together."""
