"""What the guard lets through is what is in the file."""

import struct

import pytest

from densegt.depth.guarded import GuardedFile, check_heap


def heap(*objects, size=4096):
    """A heap with (index, length) objects."""
    data = struct.pack("<4s4xQ", b"GCOL", size)
    for index, length in objects:
        data += struct.pack("<HHIQ", index, 1, 0, length) + bytes(-(-length // 8) * 8 if index else length - 16)
    return memoryview(data + bytes(max(0, size - len(data))))


@pytest.mark.parametrize(
    "objects",
    [
        [(1, 0), (0, 4064)],
        [(1, 1), (2, 8), (3, 9), (0, 4096 - 16 - 24 - 24 - 32)],
        [(1, 4096 - 32)],
        [(1, 4096 - 40)],  # what is left is too small for a header
    ],
)
def test_a_whole_heap(objects):
    check_heap(heap(*objects))
    check_heap(heap(*objects)[:64])


@pytest.mark.parametrize(("index", "length"), [(0, 0), (0, 15), (0, 4081), (1, 4065), (1, 2**64 - 1), (1, 2**64 - 16)])
def test_an_object_of_a_size_that_cannot_be(index, length):
    data = bytearray(heap((0, 4080)))
    struct.pack_into("<HHIQ", data, 16, index, 1, 0, length)
    with pytest.raises(OSError, match="heap"):
        check_heap(memoryview(data))


def test_it_reads_as_any_file_does_and_zeros_behind_the_end(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    with GuardedFile(path) as file:
        file.seek(6)
        buffer = bytearray(b"x" * 8)
        assert file.readinto(buffer) == 8
    assert buffer == b"6789\0\0\0\0"
