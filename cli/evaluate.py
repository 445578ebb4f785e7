"""`densegt evaluate`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from densegt.depth.partial_file import check_writable, write_whole

from .accumulate_options import AccumulateOptions, accumulate_options
from .option_group import option_group
from .recording_options import DatarootOptions, SelectionOptions, recording_options, selection_options

if TYPE_CHECKING:
    from rich.table import Table

    from densegt.depth.evaluate import Evaluation
    from densegt.depth.figures import Summary
    from densegt.depth.kitti_depth import KittiEvaluation


@dataclass(frozen=True)
class LeaveOneOutOptions:
    """Whether and how a recording is scored against itself.

    Attributes:
        complete: compare completion methods on it.
        checkpoint: weights of the network for that.
        every: only every n-th keyframe.
        workers: scenes at the same time.
    """

    leave_one_out: bool
    complete: bool
    checkpoint: Path | None
    every: int | None
    workers: int | None


leave_one_out_options = option_group(
    "held_out",
    LeaveOneOutOptions,
    click.option("--leave-one-out", is_flag=True, help="Rebuild each keyframe of --dataroot without its own sweep."),
    click.option(
        "--complete", is_flag=True,
        help="Compare IP-Basic, classical and network on --dataroot, from one sweep and from accumulated depth.",
    ),
    click.option("--checkpoint", type=click.Path(path_type=Path), help="--complete: other weights for the network."),
    click.option("--every", type=click.IntRange(min=1), help="With --dataroot: every n-th keyframe.  [default: 1]"),
    click.option("--workers", type=click.IntRange(min=1), help="With --dataroot: scenes at once.  [default: 1]"),
)  # fmt: skip


@click.command("evaluate")
@click.option("--pred", "pred_dir", type=click.Path(path_type=Path), help="Depth store to score.")
@click.option("--truth", "truth_dir", type=click.Path(path_type=Path), help="Store taken as exact, or kitti-depth:DIR.")
@leave_one_out_options
@recording_options(required=False, help="Leave-one-out and --complete: folder of the recording.")
@selection_options()
@accumulate_options
@click.option("--json", "json_path", type=click.Path(path_type=Path, dir_okay=False), help="Write every figure here.")
@click.option(
    "--max-depth", "max_depth_m", type=click.FloatRange(min=0, min_open=True), default=60.0, show_default=True,
    help="Count truth nearer than this many metres.",
)  # fmt: skip
def command(
    pred_dir: Path | None,
    truth_dir: Path | None,
    held_out: LeaveOneOutOptions,
    recording: DatarootOptions,
    selection: SelectionOptions,
    accumulation: AccumulateOptions,
    json_path: Path | None,
    max_depth_m: float,
) -> int:
    """Score depth against depth, or a recording against itself.

    \b
    densegt evaluate --pred depth --truth simulated/exact
    densegt evaluate --pred depth --truth kitti-depth:/data/kitti/depth
    densegt evaluate --dataroot /data/nuscenes --leave-one-out
    densegt evaluate --dataroot /data/nuscenes --complete

    An occupancy store (`densegt occupancy`) is scored against the exact voxels of the simulated city that it was made
    from.

    Accuracy: share of all ground-truth pixels that get a depth within max(0.5 m, 5 %) of a ground truth in the 3x3
    around them (right_percent in --json). Outliers: share of the predicted pixels that do not. MAE, RMSE and delta
    compare the same pixel.

    With --leave-one-out each keyframe's depth is rebuilt without that keyframe's lidar sweep and scored on the sweep's
    points. It takes accumulate's options, and about as many times as long as accumulate as there are keyframes; with
    --every 10 it looks at every tenth.

    With --complete IP-Basic, the classical method and the network complete one sweep and accumulated depth of each
    keyframe. They are scored on --truth where it is given, else on beams that were held out: every other one of the
    sweep, or the whole of it.
    """
    if json_path:
        check_writable(json_path)
    if held_out.complete:
        if recording.dataroot is None or pred_dir or held_out.leave_one_out:
            raise click.UsageError("--complete goes with --dataroot, and without --pred and --leave-one-out")
        from densegt.experiments.completion_comparison import CompletionComparisonJob

        from . import completion_table

        path, settings = recording.strictly(accumulation.strict), accumulation.resolve()
        compared = CompletionComparisonJob(
            path, settings, truth_dir, held_out.checkpoint, selection.cameras, held_out.every or 1, max_depth_m
        )
        comparison = completion_table.run(compared, selection, held_out.workers or 1)
        _write(json_path, comparison.as_dict())
        return 1 if comparison.failed else 0
    if held_out.leave_one_out:
        if recording.dataroot is None or pred_dir or truth_dir:
            raise click.UsageError("--leave-one-out goes with --dataroot, and without --pred and --truth")
        from densegt.accumulation.leave_one_out.recording import LeaveOneOutJob

        from .leave_one_out import run

        path, settings = recording.strictly(accumulation.strict), accumulation.resolve()
        job = LeaveOneOutJob(path, settings, selection.cameras, held_out.every or 1, max_depth_m)
        result = run(job, selection, held_out.workers or 1)
        _write(json_path, result.as_dict())
        return 1 if result.failed else 0
    others = (recording.dataroot, recording.version, selection.scenes, selection.cameras, held_out.every)
    if any((*others, held_out.workers, held_out.checkpoint, accumulation.any_given)):
        raise click.UsageError(
            "--dataroot, accumulate's options, --every, --workers, --checkpoint go with --leave-one-out or --complete"
        )
    if pred_dir is None or truth_dir is None:
        raise click.UsageError("give --pred and --truth, or --dataroot and --leave-one-out or --complete")
    from densegt.occupancy.store import is_occupancy_store

    if is_occupancy_store(pred_dir):
        from .evaluate_occupancy import evaluate

        _write(json_path, evaluate(pred_dir, truth_dir))
        return 0
    from densegt.depth.evaluate import evaluate_stores
    from densegt.depth.kitti_depth import PREFIX, evaluate_against_kitti

    from .progress import progress_on_stderr

    with progress_on_stderr("Evaluating") as progress:
        if str(truth_dir).startswith(PREFIX):
            annotated = Path(str(truth_dir).removeprefix(PREFIX))
            against = evaluate_against_kitti(pred_dir, annotated, max_depth_m=max_depth_m, progress=progress)
            _print_kitti(against)
            _write(json_path, against.as_dict())
            return 0
        evaluation = evaluate_stores(pred_dir, truth_dir, max_depth_m=max_depth_m, progress=progress)
    _print(evaluation)
    _write(json_path, evaluation.as_dict())
    return 0


def _write(path: Path | None, figures: dict[str, Any]) -> None:
    if path:
        write_whole(path, json.dumps(figures, indent=2, allow_nan=False).encode() + b"\n")


def _print(evaluation: Evaluation) -> None:
    from rich.console import Console

    # A pipe has no width of its own; rich would take 80 and cut the columns.
    console = Console(highlight=False, width=max(Console().width, 120))
    console.print(_table(evaluation.summary))
    for line in _remarks(evaluation):
        click.echo(line)


def _print_kitti(evaluation: KittiEvaluation) -> None:
    from rich.console import Console

    console = Console(highlight=False, width=max(Console().width, 120))
    console.print(_table(evaluation.summary))
    k = evaluation.kitti
    errors = f"RMSE {_shown(k.rmse_mm)} mm, MAE {_shown(k.mae_mm)} mm"
    inverse = f"iRMSE {_shown(k.irmse_per_km)} 1/km, iMAE {_shown(k.imae_per_km)} 1/km"
    where = f"on {_shown(k.coverage_percent)} % of the annotated pixels"
    click.echo(f"KITTI, mean over {_count(k.images)}: {errors}, {inverse}, {where}")
    if evaluation.missing:
        click.echo(f"MISSING: {_count(len(evaluation.missing))} annotated without a prediction, in no figure")


def _table(summary: Summary) -> Table:
    from rich.table import Table

    title = f"{_count(summary.images)}, truth nearer than {summary.max_depth_m:g} m"
    table = Table(title=title, title_justify="left")
    table.add_column("pixels", no_wrap=True)
    for name in ("accuracy %", "outliers %", "coverage %", "MAE m", "RMSE m", "delta1 %", "share %"):
        table.add_column(name, justify="right", no_wrap=True)
    for _, groups in summary.sections():
        for label, f in groups.items():
            share = "-" if f.share_percent is None else f"{f.share_percent:.1f}"
            shares = [_shown(x) for x in (f.right_percent, f.outlier_percent, f.coverage_percent)]
            errors = [_shown(x) for x in (f.mae_m, f.rmse_m, f.delta1_percent)]
            table.add_row(label, *shares, *errors, share)
        table.add_section()
    return table


def _count(images: int) -> str:
    return f"{images} image" + ("" if images == 1 else "s")


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _remarks(evaluation: Evaluation) -> list[str]:
    """Lines below the table: depth in the sky, and what was left out."""
    summary = evaluation.summary
    lines = [
        f"false positives (depth where there is no surface): {_shown(summary.false_positive_percent)} % of "
        f"predictions; wrong before surfaces beyond the limit: {_shown(summary.beyond_percent)} %"
    ]
    if not summary.by_kind:
        lines.append("no kinds: the truth has no layer `kind`")
    if evaluation.missing:
        lines.append(f"MISSING: {_count(len(evaluation.missing))} of the truth without a prediction, in no figure")
    if evaluation.scenes_without_prediction:
        lines.append(f"scenes without a prediction: {', '.join(evaluation.scenes_without_prediction)}")
    if evaluation.extra:
        lines.append(f"predicted without truth: {_count(len(evaluation.extra))}")
    if evaluation.scenes_without_truth:
        lines.append(f"predicted scenes without truth: {', '.join(evaluation.scenes_without_truth)}")
    return lines
