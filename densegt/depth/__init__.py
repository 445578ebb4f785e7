"""Depth maps: the type, the HDF5 store, export to others' formats, metrics."""
