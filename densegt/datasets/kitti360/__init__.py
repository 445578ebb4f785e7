"""All that knows KITTI-360; written after the format's description, not yet tried on its files."""
