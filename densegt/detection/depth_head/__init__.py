"""Per-pixel depth distributions: bins, targets, networks, sampling along the ray."""
