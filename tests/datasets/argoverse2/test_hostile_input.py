"""Whatever stands in a log's files, the reader reads it or says one line."""

from pathlib import Path

from ..mutations import MUTATIONS, survive
from ..writers.argoverse2 import write_log


def write(scene, root):
    write_log(scene, root / "val" / scene.name)


def test_mutations(tiny_dataset: Path, tmp_path: Path) -> None:
    refused = survive(write, tiny_dataset, tmp_path, "argoverse2")
    assert 0.2 * MUTATIONS < refused < MUTATIONS
