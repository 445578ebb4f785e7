import pytest

from ..copies import copy_of


@pytest.fixture
def damaged(kitti_raw, tmp_path):
    """A copy to damage."""
    return copy_of(kitti_raw, tmp_path / "damaged")
