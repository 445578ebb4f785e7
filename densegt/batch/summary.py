"""Summary of a run as JSON lines: one a scene as soon as it is known, one at the end. Several runs may share a file."""

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
from densegt.batch.job import SceneJob, SceneResult

FILE_NAME = "run-summary.jsonl"
_SUMMED = ("images", "keyframes", "bytes")


class RunSummary:
    """Appends a run's lines to a file; each carries the run's name and is written in one piece.

    A run that is killed leaves no last line; its scenes' lines stay.

    Args:
        about: further entries of the last line.

    Attributes:
        results: every scene so far.
        write_error: why lines could not be written; the run goes on.
    """

    def __init__(self, path: Path, job: SceneJob, **about: Any) -> None:
        self.path, self._job, self._about = path, job, about
        self._began = time.monotonic()
        self._run = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{os.urandom(3).hex()}"
        self.results: list[SceneResult] = []
        self.write_error: str | None = None

    def add(self, result: SceneResult) -> None:
        """Append a scene's line."""
        self.results.append(result)
        line = {**asdict(result), "path": str(result.path) if result.path else None}
        line["coverage"] = round(result.coverage, 6) if result.status == "done" else None
        counts = {key: line["counts"].get(key, 0) for key in self._job.counts}
        details = line["details"]
        self._append({"scene": line["name"], **_without(line, "name", "counts", "details"), **counts, **details})

    def count(self, status: str) -> int:
        """Number of scenes of one status so far."""
        return sum(result.status == status for result in self.results)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None and not self.results:
            return
        seconds: Counter[str] = Counter()
        for result in self.results:
            seconds.update(result.seconds)
        self._append(
            {
                "ended": "finished" if kind is None else "interrupted",
                "scenes": {status: self.count(status) for status in ("done", "skipped", "failed")},
                **{key: sum(getattr(result, key) for result in self.results) for key in _SUMMED},
                **{key: sum(result.counts.get(key, 0) for result in self.results) for key in self._job.counts},
                "seconds": {stage: round(spent, 3) for stage, spent in seconds.items()},
                "wall_seconds": round(time.monotonic() - self._began, 3),
                **self._job.summary(),
                "densegt_version": densegt.__version__,
                **self._about,
            }
        )

    def _append(self, line: dict[str, Any]) -> None:
        text = json.dumps({"run": self._run, "time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", **line}) + "\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # A file that was named may be a link or a pipe, one that stands in the store by chance may not.
            own = os.O_NOFOLLOW | os.O_NONBLOCK if self.path == self._job.out / FILE_NAME else 0
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | own, 0o666)
            try:
                os.write(descriptor, text.encode())
            finally:
                os.close(descriptor)
        except OSError as error:
            self.write_error = f"{self.path}: {error.strerror}"


def _without(line: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in line.items() if key not in keys}
