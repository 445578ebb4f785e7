"""Trials of a benchmark, whatever it compares: done where they are not done yet, and told in one file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import densegt
from densegt.batch.executor import Executor, Failed, SendMessage
from densegt.depth.partial_file import write_whole
from densegt.errors import InputError
from densegt.experiments.figures import Figure
from densegt.experiments.summary import by_variant, comparisons, sentences, table
from densegt.experiments.trial import Trial
from densegt.experiments.variant import Variant

Report = Callable[[str], None]
Progress = Callable[[int, int], None]
Result = dict[str, Any]
SUMMARY, RESULT = "benchmark.json", "result.json"


T = TypeVar("T", bound=Trial)


@dataclass(frozen=True)
class Subject:
    """What a benchmark is about.

    Attributes:
        title: of its page.
        figures: that are compared; `asked` of them are told of in words, `plotted` drawn.
        by_range: figures of depth error by range, if there are any.
        curves: of trainings.
    """

    title: str
    figures: tuple[Figure, ...]
    asked: tuple[str, ...]
    plotted: tuple[str, ...]
    by_range: tuple[str, ...]
    curves: tuple[str, ...]


def finished(trial: Trial) -> Result | None:
    """The result that is there already, if one is.

    Raises:
        InputError: it is of other data or another configuration.
    """
    path = trial.folder / RESULT
    if not path.is_file():
        return None
    result: Result = json.loads(path.read_text())
    if result["facts"] != trial.facts:
        raise InputError(f"{path}: is of other data or another configuration; name another --out")
    return result


def carry_out(
    trials: Sequence[T],
    perform: Callable[[T, SendMessage], Result],
    executor: Executor,
    report: Report,
    line: Callable[[Result], str],
    progress: Progress | None = None,
) -> tuple[list[Result], list[tuple[str, str]]]:
    """Do what is not done yet; gives all results, and which trials failed, and why.

    Raises:
        InputError: what is there is of another configuration.
    """
    results = [result for trial in trials if (result := finished(trial)) is not None]
    rest = [trial for trial in trials if finished(trial) is None]
    if results:
        report(f"{len(results)} of {len(trials)} trainings are finished already")
    failed: list[tuple[str, str]] = []
    for trial, answer in executor.run(perform, rest):
        if isinstance(answer, Failed):
            failed.append((f"{trial.variant.name} with seed {trial.seed}", answer.why))
            report(f"{failed[-1][0]}: failed: {answer.why}")
        else:
            results.append(answer)
            report(line(answer))
        if progress:
            progress(len(results) + len(failed), len(trials))
    return results, failed


def write_result(path: Path, result: Mapping[str, Any]) -> Result:
    """The result as whoever reads the file will see it; the devkit's own objects cannot leave the process."""
    write_whole(path, json.dumps(result, indent=1).encode() + b"\n")
    written: Result = json.loads(path.read_text())
    return written


def write_summary(
    out: Path, subject: Subject, variants: Sequence[Variant], results: Sequence[Result], head: Mapping[str, Any]
) -> None:
    """Everything that a page tells, in one file.

    Args:
        variants: all that are compared, in the order of the table.
        head: what is to stand in the file as it is.
    """
    order = [variant.name for variant in variants]
    ordered = sorted(results, key=lambda result: (order.index(result["variant"]), result["seed"]))
    found = by_variant(ordered, variants, subject.figures)
    compared = comparisons(found, subject.figures)
    factors = variants[0].factors
    summary = {
        "densegt_version": densegt.__version__,
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        **head,
        "title": subject.title,
        "factor_names": list(factors),
        "plotted": list(subject.plotted),
        "by_range": list(subject.by_range),
        "curves": list(subject.curves),
        "seeds": sorted({result["seed"] for result in results}),
        "sentences": sentences(found, compared, subject.figures, subject.asked),
        "table": table(found, subject.figures),
        "fixed": ordered[0]["fixed"],
        "factors": {variant.name: {factor: variant.level(factor) for factor in factors} for variant in found},
        "comparisons": [{**asdict(c), "first": c.first.name, "second": c.second.name} for c in compared],
        "trials": [{key: value for key, value in result.items() if key != "facts"} for result in ordered],
    }
    write_whole(out / SUMMARY, json.dumps(summary, indent=1).encode() + b"\n")
