"""`densegt complete`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .batch_options import BatchOptions, batch_options
from .option_group import option_group
from .recording_options import DatarootOptions, SelectionOptions, recording_options, selection_options, strict_option

if TYPE_CHECKING:
    from densegt.batch.job import SceneResult

_PATH = click.Path(path_type=Path)


@dataclass(frozen=True)
class CompletionOptions:
    """How depth is completed; `strict`: refuse a scene of which an image cannot be read."""

    method: str
    checkpoint: Path | None
    min_confidence: float
    strict: bool | None


completion_options = option_group(
    "completion",
    CompletionOptions,
    click.option(
        "--method", type=click.Choice(["auto", "classical", "network", "prompt-depth-anything"]), default="auto",
        show_default=True,
        help="auto: classical or network, by what the validation of the network's weights found for such input; it is "
        "said. classical: along surfaces, guided by the image's edges; needs no weights. network: learned. "
        "prompt-depth-anything: a foundation model, if you have it (densegt[foundation]).",
    ),
    click.option(
        "--checkpoint", type=_PATH,
        help="Weights for the network, other than those that ship; a folder for prompt-depth-anything.",
    ),
    click.option(
        "--min-confidence", type=click.FloatRange(0, 1), default=0.0, show_default=True,
        help="What is filled with less confidence stays unknown: the probability of being right, to max(0.5 m, 5 %).",
    ),
    strict_option,
)  # fmt: skip


@click.command("complete")
@recording_options(help="Folder of the recording; only its images are read.")
@click.option("--depth", "depth_dir", type=_PATH, required=True, help="Depth store written by `densegt accumulate`.")
@click.option("--out", type=_PATH, required=True, help="Depth store: one .h5 a scene goes there.")
@completion_options
@selection_options()
@batch_options
@click.pass_context
def command(
    ctx: click.Context,
    recording: DatarootOptions,
    depth_dir: Path,
    out: Path,
    completion: CompletionOptions,
    selection: SelectionOptions,
    batch: BatchOptions,
) -> int:
    """Fill the gaps of a depth store, and say how sure each pixel is.

    \b
    densegt complete --dataroot /data/nuscenes --depth depth --out completed

    Filled pixels have source 5; what was measured stays as it was, unless the network has evidence against it: then it
    has source 5 too, and is counted. The layer `uncertainty` holds one standard deviation in metres. Scenes that are
    finished are skipped.
    """
    from densegt.completion.job import CompletionJob
    from densegt.depth.selection import check_cameras_in, select_scenes

    from .batch_run import run_batch

    job = CompletionJob(
        recording.image_root,
        depth_dir,
        out,
        completion.method,
        completion.checkpoint,
        selection.cameras,
        completion.min_confidence,
        overwrite=batch.overwrite,
        strict=bool(completion.strict),
    )
    paths = select_scenes(depth_dir, selection.scenes)
    check_cameras_in(paths, selection.cameras)
    names = [path.stem for path in paths]
    return run_batch(ctx, job, names, batch, details=_rejected)


def _rejected(result: SceneResult) -> str:
    """Measured pixels that the method had evidence against."""
    rejected, measured = (result.counts[name] for name in ("rejected_pixels", "measured_pixels"))
    return f", {100 * rejected / measured:.2f} % of measured ones rejected" if rejected else ""
