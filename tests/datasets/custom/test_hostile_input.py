"""Whatever stands in a recording's files, the reader reads it or says one line."""

from pathlib import Path

import pytest

from ..mutations import MUTATIONS, survive
from ..writers.custom import write_recording

# Each input is read anew, many times over.
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("suffix", [".npz", ".npy", ".pcd"])
def test_mutations(suffix: str, tiny_dataset: Path, tmp_path: Path) -> None:
    def write(scene, root):
        root.mkdir(parents=True)
        write_recording(scene, root, suffix=suffix)

    refused = survive(write, tiny_dataset, tmp_path, "custom")
    assert 0.2 * MUTATIONS < refused < MUTATIONS
