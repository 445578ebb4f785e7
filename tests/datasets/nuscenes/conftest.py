import pytest

from ..copies import copy_of


@pytest.fixture
def damaged(tiny_dataset, tmp_path):
    """A copy of the simulated dataset to damage."""
    return copy_of(tiny_dataset, tmp_path / "damaged")
