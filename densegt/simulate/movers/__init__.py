"""What stands or moves in the city: vehicles and people as meshes, and their motions."""
