"""PIXOR: a detector that reads an occupancy tensor as an image of the ground plane, one stage, every cell an answer."""
