"""A disk that fills up at any point of writing: one clear error, nothing left behind, and the process lives."""

import subprocess
import sys
from pathlib import Path

import pytest

from densegt.depth.sink import Sink
from densegt.depth.store import SceneReader, SceneWriter

from .stores import camera, depth_map, world

# Whole scenes are simulated, read or rendered.
pytestmark = pytest.mark.slow

# HDF5 that meets a full disk itself crashes the process at exit, so each limit is met in a process of its own.
CODE = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from stores import camera, depth_map, world
from densegt.depth.store import SceneWriter
limit, folder = int(sys.argv[2]), Path(sys.argv[3])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    with SceneWriter(folder, "full", {"made": "by a test"}) as writer:
        for number in range(40):
            writer.write(camera(sample=f"s{number:02}"), depth_map(world()[0]))
except OSError as error:
    print("error:", error.strerror, error.filename)
else:
    print("whole")
print(sorted(path.name for path in folder.iterdir()))
"""


@pytest.fixture(scope="module")
def whole_size(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    with SceneWriter(folder, "full", {"made": "by a test"}) as writer:
        for number in range(40):
            writer.write(camera(sample=f"s{number:02}"), depth_map(world()[0]))
    return (folder / "full.h5").stat().st_size


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.6, 0.9, 0.99, 0.9999, 1.0])
def test_one_clear_error_and_nothing_left(tmp_path, whole_size, share):
    limit = int(whole_size * share)
    words = [sys.executable, "-c", CODE, str(Path(__file__).parent), str(limit), str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stderr == ""
    if share == 1.0:
        assert done.stdout == "whole\n['full.h5']\n"
        assert len(SceneReader(tmp_path / "full.h5")) == 40
    else:
        assert done.stdout == f"error: File too large {tmp_path / 'full.h5'}\n[]\n"


def test_a_sink_holds_what_a_file_would(tmp_path):
    sink = Sink(tmp_path / "sink", known_as=tmp_path / "sink")
    buffers = bytearray(8), bytearray(8)
    with open(tmp_path / "plain", "w+b") as plain:
        for file, buffer in zip((plain, sink), buffers, strict=True):
            file.write(memoryview(b"0123456789"))
            file.seek(20)
            file.write(memoryview(b"abc"))
            assert file.tell() == 23
            file.seek(-2, 2)
            file.write(memoryview(b"XYZW"))
            file.seek(2)
            file.seek(3, 1)
            assert file.readinto(memoryview(buffer)) == 8
            file.truncate(24)
            file.flush()
        sink.finish()
        sink.close()
    assert buffers[0] == buffers[1]
    assert (tmp_path / "plain").read_bytes() == (tmp_path / "sink").read_bytes()
