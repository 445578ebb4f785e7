"""Simulate a whole dataset."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np

import densegt
from densegt.batch.scene_lock import scene_lock
from densegt.depth.partial_file import check_writable
from densegt.errors import InputError
from densegt.simulate.config import SimulateConfig
from densegt.simulate.drive import Street
from densegt.simulate.pool import ROWS, Job, record_scenes
from densegt.simulate.simple.drive import SimpleStreet
from densegt.simulate.writer.recording import scene_name
from densegt.simulate.writer.tables import Tables, common_tables, merge, token, write_tables

VERSION = "v1.0-mini"

Progress = Callable[[int, int], None]
"""Called with sweeps done and sweeps in all."""


def simulate(
    config: SimulateConfig,
    out: Path,
    progress: Progress | None = None,
    *,
    street: Street | None = None,
    workers: int | None = None,
    overwrite: bool = False,
) -> None:
    """Write a dataset in nuScenes format with exact depth to `out`, which appears only when it is whole.

    What an interrupted run has finished lies beside it in a hidden folder, and the same command goes on from there.

    Args:
        street: the kind of world; the simple street if not given.

    Raises:
        InputError: `out` is in use.
    """
    out, street = Path(out), street or SimpleStreet()
    check_target(out, overwrite=overwrite)
    check_writable(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    with scene_lock(out.parent, out.name) as acquired:
        if not acquired:
            raise InputError(f"{out}: another run is writing it")
        job = Job(street, config, out.with_name(f".{out.name}.simulating"))
        try:
            _resume(job)
            scenes = record_scenes(job, progress or (lambda done, total: None), workers=workers)
            _write_shared(job, merge([common_tables(street.categories, street.channels), *scenes]))
        except BaseException as error:
            if isinstance(error, OSError) and error.errno and error.filename is None:
                error.filename = str(out)  # of a write, not of an open
            if not (job.folder / ROWS).is_dir():
                shutil.rmtree(job.folder, ignore_errors=True)
            raise
        if out.exists():
            shutil.rmtree(out)
        job.folder.rename(out)


def _resume(job: Job) -> None:
    """Keep what an interrupted run of the same simulation left, or begin anew."""
    if job.folder.is_symlink():
        raise InputError(f"{job.folder}: a link; remove it")
    wanted = json.dumps([asdict(job.config), repr(job.street), densegt.__version__])
    note = job.folder / "job.json"
    if not (note.is_file() and note.read_text() == wanted):
        shutil.rmtree(job.folder, ignore_errors=True)
        job.folder.mkdir()
        note.write_text(wanted)


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


def _write_shared(job: Job, tables: Tables) -> None:
    """What is not a scene's: the map, the tables and the splits; what only an interrupted run needs is removed."""
    folder = job.folder
    own = token(job.config.seed, "map")
    name = f"maps/{own}.png"
    logs = [row["token"] for row in tables["log"]]
    tables["map"] = [{"token": own, "category": "semantic_prior", "filename": name, "log_tokens": logs}]
    for part in ("maps", VERSION):
        shutil.rmtree(folder / part, ignore_errors=True)
    (folder / "maps").mkdir()
    (folder / name).write_bytes(cv2.imencode(".png", np.zeros((64, 64), dtype=np.uint8))[1].tobytes())
    write_tables(tables, folder / VERSION)
    (folder / "splits.json").write_text(json.dumps(splits(job.config), indent=1) + "\n")
    shutil.rmtree(folder / ROWS)
    (folder / "job.json").unlink()
