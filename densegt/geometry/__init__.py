"""Pure functions on arrays: rigid transforms, cameras, boxes. Poses are float64."""
