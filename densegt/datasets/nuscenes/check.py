"""Is a dataset whole and readable? Finds everything at once, where the reader stops at the first."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from densegt.datasets.nuscenes.check_files import Progress, files
from densegt.datasets.nuscenes.check_relations import relations
from densegt.datasets.nuscenes.check_values import values
from densegt.datasets.nuscenes.findings import Finding, RowsByTable, read_tables
from densegt.datasets.nuscenes.reader import find_version


@dataclass(frozen=True)
class Report:
    """What a check found, in order of kind and file, and how much it looked at."""

    findings: tuple[Finding, ...]
    scenes: int
    sweeps: int
    images: int

    @property
    def problems(self) -> tuple[str, ...]:
        """The findings, a line each."""
        return tuple(map(str, self.findings))

    @property
    def notes(self) -> tuple[str, ...]:
        """None: whatever is absent is a finding."""
        return ()

    def summary(self) -> str:
        """The closing line, e.g. `0 problems in 1 scene, 30 sweeps, 6 images`."""
        kinds = Counter(finding.kind for finding in self.findings)
        listed = f" ({', '.join(f'{n} {kind}' for kind, n in kinds.items())})" if kinds else ""
        looked_at = f"{_count(self.scenes, 'scene')}, {_count(self.sweeps, 'sweep')}, {_count(self.images, 'image')}"
        return f"{_count(len(self.findings), 'problem')}{listed} in {looked_at}"


def check(
    dataroot: Path, version: str | None = None, *, decode_images: bool = False, progress: Progress | None = None
) -> Report:
    """Look at every table, relation, value and file of a dataset.

    Args:
        dataroot: the folder that holds v1.0-*/ and samples/.
        version: e.g. v1.0-mini; the only one there where None.
        decode_images: decode every image too (slow).
        progress: told (files done, files in all).

    Raises:
        InputError: the folder is no dataset at all.
    """
    tables, findings = read_tables(find_version(Path(dataroot), version))
    findings += relations(tables)
    findings += values(tables)
    findings += files(tables, Path(dataroot), decode_images=decode_images, progress=progress)
    return Report(
        findings=tuple(sorted(set(findings))),
        scenes=len(tables["scene"]),
        sweeps=_ending(tables, ".pcd.bin"),
        images=_ending(tables, ".jpg", ".jpeg", ".png"),
    )


def _ending(tables: RowsByTable, *suffixes: str) -> int:
    return sum(row.filename.lower().endswith(suffixes) for row in tables["sample_data"])


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
