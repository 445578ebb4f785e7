"""What moves: annotated tracks, free space, and tracks found without labels."""
