"""The city's street: ground, buildings, furniture and plants as triangle meshes."""
