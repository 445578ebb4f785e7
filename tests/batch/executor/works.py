"""Work for worker processes, which import it by name."""

import ctypes
import os
import resource
import signal
import time
from pathlib import Path

from densegt.errors import InputError


def double(item, report):
    report(f"doubling {item}")
    return 2 * item


def fail_at(kind, item, report):
    """Fails at item 1."""
    if item == 1 and kind == "input":
        raise InputError("sweep.bin: 13 bytes left over")
    if item == 1 and kind == "file":
        open("/not/there.bin").close()
    if item == 1 and kind == "disk":
        raise OSError(28, "No space left on device", "out/scene.h5")
    if item == 1 and kind == "memory":
        # A limit of its own stands for a machine that has no more.
        resource.setrlimit(resource.RLIMIT_AS, (2**30, resource.RLIM_INFINITY))
        try:
            bytearray(2**33)
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    if item == 1 and kind == "bug":
        raise ZeroDivisionError("two\nlines")
    return item


def die_at(how, always, folder, item, report):
    """Ends its process at item 1: every time, or the first time only. Leaves a file for each try."""
    tries = len(list(Path(folder).glob(f"{item}-*")))
    Path(folder, f"{item}-{tries}").touch()
    if item == 1 and (always or tries == 0):
        os.kill(os.getpid(), signal.SIGKILL) if how == "kill" else os._exit(3)
    time.sleep(0.3)
    return item


def wait_long(folder, item, report):
    """Leaves its process id and sleeps."""
    Path(folder, str(os.getpid())).touch()
    time.sleep(600)


def hang_at(how, folder, item, report):
    """Never comes back from item 1, asleep or deep in C; leaves a file for each try."""
    Path(folder, f"{item}-{os.getpid()}").touch()
    report("begun")
    if item == 1:
        ctypes.PyDLL(None).sleep(600) if how == "in C" else time.sleep(600)
    return item


def hold_the_interpreter(folder, item, report):
    """As a kernel does: no other Python thread of this process runs meanwhile."""
    Path(folder, str(os.getpid())).touch()
    ctypes.PyDLL(None).sleep(600)


def threads(item, report):
    import numba

    return numba.get_num_threads(), os.environ["OMP_NUM_THREADS"], os.environ["OPENBLAS_NUM_THREADS"]


def blocked_signals(item, report):
    return {int(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, set())}
