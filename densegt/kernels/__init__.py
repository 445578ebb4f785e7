"""numba: arrays in, arrays out, no dataclass, no I/O; one idea a file."""
