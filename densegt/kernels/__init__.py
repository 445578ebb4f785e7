"""numba: arrays in, arrays out, no dataclass, no I/O; one idea a file."""

from densegt.kernels.cache_folder import settle_cache_folder

# Before numba is imported, which reads it then.
settle_cache_folder()
