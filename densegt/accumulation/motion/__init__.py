"""Motion: annotated tracks, free space, and movers detected without annotation."""
