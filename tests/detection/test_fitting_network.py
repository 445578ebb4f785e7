"""Small checkpoints that name huge networks are refused before these are built."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")

from densegt.detection.checkpoint import read_task  # noqa: E402
from densegt.detection.registry import task_type  # noqa: E402
from densegt.errors import InputError  # noqa: E402

from .points.pseudo_lidar.small import TINY as TINY_PL  # noqa: E402
from .test_train_lss import TINY as TINY_LSS  # noqa: E402

HUGE = 10**9
SOUND = {
    "lss": TINY_LSS,
    "pixor": {**TINY_PL, "model": {**TINY_PL["model"], "detector": "pixor"}},
    "pointrcnn": {**TINY_PL, "model": {**TINY_PL["model"], "detector": "pointrcnn", "input": "lidar"}},
}


@cache
def saved(detector: str) -> dict[str, Any]:
    config = SOUND[detector]
    task = task_type(detector).of_checkpoint(copy.deepcopy(config))
    return {"hyper_parameters": {"config": config}, "state_dict": task.state_dict()}


def write(detector: str, path: Path, change: Callable[[dict[str, Any]], None] = lambda saved: None) -> Path:
    checkpoint = {**saved(detector), "hyper_parameters": copy.deepcopy(saved(detector)["hyper_parameters"])}
    change(checkpoint)
    torch.save(checkpoint, path)
    return path


def setting(keys: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(checkpoint: dict[str, Any]) -> None:
        *sections, last = keys.split(".")
        section = checkpoint["hyper_parameters"]["config"]
        for name in sections:
            section = section.setdefault(name, {})
        section[last] = value

    return change


HOSTILE = [
    ("lss", "model.features", HUGE), ("lss", "model.bev_blocks", HUGE), ("lss", "model.bev_widths", [10**6, 10**6]),
    ("lss", "model.bev_channels", 4096), ("lss", "model.bins.count", HUGE), ("lss", "model.samples", HUGE),
    ("lss", "model.grid.cell_m", 1e-6), ("lss", "model.grid.half_m", 2 * HUGE), ("lss", "model.size", [2**20, 2**20]),
    ("lss", "model.size", [0, 0]), ("lss", "model.backbone", "bert"), ("lss", "model.backbone", "convnextv2"),
    ("lss", "loader_processes", HUGE), ("lss", "threads", HUGE),
    ("pixor", "model.pixor.layers", HUGE), ("pixor", "model.pixor.cell_m", 1e-6), ("pixor", "model.pixor.blocks", HUGE),
    ("pixor", "model.spin.columns", HUGE), ("pixor", "model.depth.blocks", HUGE), ("pixor", "model.size", [HUGE, 8]),
    ("pointrcnn", "model.pointrcnn.points", HUGE), ("pointrcnn", "model.pointrcnn.test_proposals", HUGE),
    ("pointrcnn", "model.pointrcnn.bin_m", 1e-9), ("pointrcnn", "model.pointrcnn.region_points", HUGE),
]  # fmt: skip


@pytest.mark.parametrize("detector", SOUND)
def test_sound_ones_are_read(tmp_path: Path, detector: str) -> None:
    assert not read_task(write(detector, tmp_path / "sound.ckpt")).training


@pytest.mark.parametrize(("detector", "keys", "value"), HOSTILE)
def test_a_huge_network_is_refused_at_once(tmp_path: Path, detector: str, keys: str, value: Any) -> None:
    begun = time.process_time()
    refused(write(detector, tmp_path / "huge.ckpt", setting(keys, value)))
    assert time.process_time() - begun < 10


def test_weights_that_are_only_said_to_be_large(tmp_path: Path) -> None:
    def change(checkpoint: dict[str, Any]) -> None:
        weights = checkpoint["state_dict"]
        checkpoint["state_dict"] = {name: torch.zeros(()).expand(tensor.shape) for name, tensor in weights.items()}

    refused(write("lss", tmp_path / "expanded.ckpt", change))


@pytest.mark.parametrize("weights", [{}, {"net": 5}, [1, 2], None, {"net.x": torch.zeros(3)}])
def test_weights_that_are_others(tmp_path: Path, weights: Any) -> None:
    refused(write("lss", tmp_path / "others.ckpt", lambda checkpoint: checkpoint.update(state_dict=weights)))


def refused(path: Path) -> None:
    with pytest.raises(InputError) as said:
        read_task(path)
    assert "\n" not in str(said.value)
    assert len(str(said.value)) < 500
