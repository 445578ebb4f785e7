"""A driving world in nuScenes format with exact depth."""
