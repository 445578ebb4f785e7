"""An occupancy store as a PyTorch data set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from densegt.errors import InputError  # noqa: E402
from densegt.occupancy.dataset import OccupancyDataset  # noqa: E402
from densegt.occupancy.store import OccupancyReader  # noqa: E402


def test_samples_and_batches(occupied_world: Path) -> None:
    data = OccupancyDataset(occupied_world / "occupancy")
    reader = OccupancyReader(occupied_world / "occupancy" / "scene-0001.h5")
    assert len(data) == len(reader) == 2
    record, sample = reader.read(reader.sample_tokens[-1]), data[-1]
    assert (sample["scene"], sample["sample_token"]) == ("scene-0001", record.sample_token)
    np.testing.assert_array_equal(sample["state"].numpy(), record.state)
    occupied = sample["state"] == 2
    assert ((sample["semantics"] == 17) == ~occupied).all()
    assert (sample["mask_lidar"] == (sample["state"] > 0)).all()
    assert (sample["mask_camera"] & ~sample["mask_lidar"]).sum() == 0
    assert sample["flow_mps"].shape == (3, *record.state.shape)
    (batch,) = torch.utils.data.DataLoader(data, batch_size=2)
    assert batch["semantics"].shape == (2, *record.state.shape)
    assert batch["semantics"].dtype == torch.int64
    with pytest.raises(IndexError):
        data[2]


def test_scenes_that_are_not_there(occupied_world: Path) -> None:
    with pytest.raises(InputError, match=r"no scene 'scene-0002'; there is scene-0001"):
        OccupancyDataset(occupied_world / "occupancy", ("scene-0002",))
