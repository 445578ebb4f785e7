"""Options of commands that work on many scenes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .option_group import option_group

if TYPE_CHECKING:
    from densegt.batch.executor import Executor


@dataclass(frozen=True)
class BatchOptions:
    """How scenes are worked on.

    Attributes:
        workers: scenes at the same time; None is the executor's own choice.
        executor: local or ray.
        scene_timeout: seconds that a scene may take; None is no limit.
        summary: file that the run's summary is appended to; None is the one in the output folder.
    """

    workers: int | None
    executor: str
    ray_address: str | None
    scene_timeout: float | None
    overwrite: bool
    summary: Path | None

    def open_executor(self, *, task_bytes: int | None = None) -> Executor:
        """The executor; with `local` a process of its own even for one worker: it stops at once, and may be killed.

        Args:
            task_bytes: memory that Ray is asked for, for each scene.

        Raises:
            click.UsageError: options that contradict each other.
        """
        from densegt.batch.executor import Local, Ray

        if self.executor == "ray":
            if self.scene_timeout:
                raise click.UsageError("--scene-timeout goes with --executor local")
            return Ray(self.ray_address, at_once=self.workers, task_bytes=task_bytes)
        if self.ray_address:
            raise click.UsageError("--ray-address goes with --executor ray")
        return Local(self.workers or 1, self.scene_timeout)


batch_options = option_group(
    "batch",
    BatchOptions,
    click.option(
        "--workers", type=click.IntRange(min=1),
        help="Scenes at the same time.  [default: 1; with ray as many as its cluster has cores]",
    ),
    click.option(
        "--executor", type=click.Choice(["local", "ray"]), default="local", show_default=True,
        help="local: processes on this machine. ray: an existing Ray cluster.",
    ),
    click.option("--ray-address", metavar="HOST:PORT", help="Of the cluster.  [default: the one this machine is in]"),
    click.option(
        "--scene-timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS",
        help="A scene that takes longer, waiting included, is ended and counts as failed; the others go on.  "
        "[default: no limit]",
    ),
    click.option("--overwrite", is_flag=True, help="Also make scenes again that are finished."),
    click.option(
        "--summary", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
        help="JSON lines about the run are appended to it.  [default: run-summary.jsonl in --out]",
    ),
)  # fmt: skip
