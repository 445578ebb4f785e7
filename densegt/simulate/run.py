"""Simulate a whole dataset."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from densegt.errors import InputError
from densegt.simulate.config import SimulateConfig
from densegt.simulate.pool import record_scenes
from densegt.simulate.recording import scene_name
from densegt.simulate.tables import Tables, common_tables, merge, token, write_tables

VERSION = "v1.0-mini"

Progress = Callable[[int, int], None]
"""Called with sweeps done and sweeps in all."""


def simulate(
    config: SimulateConfig,
    out: Path,
    progress: Progress | None = None,
    *,
    workers: int | None = None,
    overwrite: bool = False,
) -> None:
    """Write a dataset in nuScenes format with exact depth to `out`, which appears only when it is whole.

    Raises:
        InputError: `out` is in use.
    """
    out = Path(out)
    check_target(out, overwrite=overwrite)
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(f".{out.name}.{os.getpid()}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        scenes = record_scenes(config, partial, progress or (lambda done, total: None), workers=workers)
        _write_shared(config, partial, merge([common_tables(), *scenes]))
        if out.exists():
            shutil.rmtree(out)
        partial.rename(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def check_target(out: Path, *, overwrite: bool) -> None:
    """Refuse to write over anything but an empty folder, or with `overwrite` an earlier simulation."""
    if not out.exists():
        return
    if not out.is_dir():
        raise InputError(f"{out}: is a file, not a folder")
    if not any(out.iterdir()):
        return
    if not overwrite:
        raise InputError(f"{out}: exists and is not empty; --overwrite replaces it")
    if not ((out / VERSION).is_dir() and (out / "exact").is_dir() and (out / "splits.json").is_file()):
        raise InputError(f"{out}: not written by `densegt simulate`, so it is not overwritten; name another folder")


def splits(config: SimulateConfig) -> dict[str, list[str]]:
    """Scene names to train on and to validate on: the last quarter, at least one if there is more than one."""
    names = [scene_name(i) for i in range(config.scenes)]
    held = max(1, round(len(names) / 4)) if len(names) > 1 else 0
    return {"train": names[: len(names) - held], "val": names[len(names) - held :]}


def _write_shared(config: SimulateConfig, folder: Path, tables: Tables) -> None:
    """What is not a scene's: the map, the tables and the splits."""
    own = token(config.seed, "map")
    name = f"maps/{own}.png"
    logs = [row["token"] for row in tables["log"]]
    tables["map"] = [{"token": own, "category": "semantic_prior", "filename": name, "log_tokens": logs}]
    (folder / "maps").mkdir()
    cv2.imwrite(str(folder / name), np.zeros((64, 64), dtype=np.uint8))
    write_tables(tables, folder / VERSION)
    (folder / "splits.json").write_text(json.dumps(splits(config), indent=1) + "\n")
