"""What a run did, as JSON lines: one a scene as soon as it is known, one at the end. Several runs may share a file."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import densegt
from densegt.accumulate.job import Job, SceneDone

NAME = "run-summary.jsonl"
_SUMMED = ("images", "keyframes", "sweeps", "points", "bytes")


class RunSummary:
    """Appends a run's lines to a file; each bears the run's name, and goes out in one piece.

    A run that is killed leaves no last line; its scenes' lines stay.

    Attributes:
        done: every scene so far.
        trouble: why lines could not be written. It is no reason to stop.
    """

    def __init__(self, path: Path, job: Job, **about: Any) -> None:
        self.path, self._job, self._about = path, job, about
        self._began = time.monotonic()
        self._run = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{os.urandom(3).hex()}"
        self.done: list[SceneDone] = []
        self.trouble: str | None = None

    def add(self, done: SceneDone) -> None:
        """A scene is done, skipped or has failed."""
        self.done.append(done)
        line = {**asdict(done), "path": str(done.path) if done.path else None}
        line["coverage"] = round(done.coverage, 6) if done.status == "done" else None
        self._append({"scene": line.pop("name"), **line})

    def count(self, status: str) -> int:
        """Scenes of one status so far."""
        return sum(done.status == status for done in self.done)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None and not self.done:
            return
        seconds: Counter[str] = Counter()
        for done in self.done:
            seconds.update(done.seconds)
        self._append(
            {
                "ended": "finished" if kind is None else "interrupted",
                "scenes": {status: self.count(status) for status in ("done", "skipped", "failed")},
                **{key: sum(getattr(done, key) for done in self.done) for key in _SUMMED},
                "seconds": {stage: round(spent, 3) for stage, spent in seconds.items()},
                "wall_seconds": round(time.monotonic() - self._began, 3),
                "dataroot": str(self._job.recording.root),
                "config": self._job.saved(),
                "densegt_version": densegt.__version__,
                **self._about,
            }
        )

    def _append(self, line: dict[str, Any]) -> None:
        text = json.dumps({"run": self._run, "time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", **line}) + "\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
            try:
                os.write(descriptor, text.encode())
            finally:
                os.close(descriptor)
        except OSError as error:
            self.trouble = f"{self.path}: {error.strerror}"
