"""Shapes of vehicles as signed distances: procedural families, a learned prior, surfaces, rays."""
