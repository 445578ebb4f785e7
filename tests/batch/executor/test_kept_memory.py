"""What a worker has freed it keeps: the second array of a size costs no page of the system's."""

import subprocess
import sys

import pytest

CODE = """
import resource, sys
import numpy as np
from densegt.batch.executor.kept_memory import keep_freed_memory
print(keep_freed_memory())
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.full(1 << 20, 1.0)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults()
print(max(faults() for _ in range(5)))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's")
def test_memory_that_was_freed_is_used_again():
    # A process of its own: its memory is as no other test left it.
    said = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True).stdout.split()
    if said[0] == "False":
        pytest.skip("another C library")
    # 8 MB are 2048 pages.
    assert int(said[1]) < 50
