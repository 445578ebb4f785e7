"""Detection: a Lift-Splat detector, from images to boxes in the bird's-eye view, and what depth it learns from."""
