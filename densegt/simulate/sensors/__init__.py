"""The city's sensors: ray casting, lidars, cameras and the rigs that carry them."""
