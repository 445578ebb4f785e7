"""numba: arrays in, arrays out, no dataclass, no I/O; one idea a file."""

import warnings

from densegt.kernels.cache_folder import settle_cache_folder

# Before numba is imported, which reads it then.
settle_cache_folder()

# Where the system's TBB is too old numba takes the next threading layer; a user can do nothing with being told.
warnings.filterwarnings("ignore", message=r".*The TBB threading layer requires TBB")
