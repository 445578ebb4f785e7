"""Is a dataset whole and readable? Finds everything at once, where the reader stops at the first."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from densegt.datasets.nuscenes.check_files import Progress, files
from densegt.datasets.nuscenes.check_relations import relations
from densegt.datasets.nuscenes.check_values import values
from densegt.datasets.nuscenes.findings import Finding, read_tables
from densegt.datasets.nuscenes.reader import NuScenes
from densegt.datasets.nuscenes.version_folder import find_version
from densegt.datasets.recording import RecordingOptions
from densegt.errors import InputError


@dataclass(frozen=True)
class Report:
    """What a check found, in order of kind and file, how much it looked at, and what is unusual but no harm."""

    findings: tuple[Finding, ...]
    scenes: int
    sweeps: int
    images: int
    notes: tuple[str, ...] = ()

    @property
    def problems(self) -> tuple[str, ...]:
        """The findings, a line each."""
        return tuple(map(str, self.findings))

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
    dataroot = Path(dataroot)
    tables, findings = read_tables(dataroot, find_version(dataroot, version))
    findings += relations(tables)
    findings += values(tables)
    findings += files(tables, dataroot, decode_images=decode_images, progress=progress)
    refused, notes = _opened(dataroot, tables.version)
    # What else is wrong says why already.
    findings += () if findings else refused
    kinds = tables.kinds()
    looked_at = Counter(kinds.get(row.calibrated_sensor_token, "") for row in tables["sample_data"])
    return Report(
        findings=tuple(sorted(set(findings))),
        scenes=len(tables["scene"]),
        sweeps=looked_at["lidar"],
        images=looked_at["camera"],
        notes=tuple(dict.fromkeys(notes)),
    )


def _opened(dataroot: Path, version: str) -> tuple[list[Finding], list[str]]:
    """What the reader refuses, so that it reads whatever is found whole; and its notes."""
    refused: list[Finding] = []
    notes: list[str] = []
    try:
        recording = NuScenes(dataroot, version, RecordingOptions(strict=True))
        for name in recording.scene_names:
            notes += recording.scene(name).notes
    except InputError as error:
        refused.append(Finding("refused", version, str(error)))
    return refused, notes


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
