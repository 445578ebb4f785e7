"""What MAN TruckScenes has of its own; its tables are nuScenes'."""
