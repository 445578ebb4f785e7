"""What a sanity check finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class SanityFinding:
    """A contradiction in a recording.

    Attributes:
        check: which check found it.
        subject: the sensor it is about; "" for the whole recording.
        facts: what was measured.
        advice: the likely cause, and the fix.
        fatal: depth made from this would be rubbish.
    """

    check: str
    subject: str
    facts: str
    advice: str
    fatal: bool = False

    def __str__(self) -> str:
        about = f"{self.subject}: " if self.subject else ""
        return f"{self.check}: {about}{self.facts}; {self.advice}"


def in_lines(findings: Sequence[SanityFinding]) -> list[str]:
    """One line for each kind of finding; sensors that it holds for are listed in it."""
    by_kind: dict[tuple[str, str], list[SanityFinding]] = {}
    for finding in findings:
        by_kind.setdefault((finding.check, finding.advice), []).append(finding)
    lines = []
    for mine in by_kind.values():
        others = [finding.subject for finding in mine[1:]]
        also = f" (also {', '.join(others)})" if others else ""
        lines.append(f"{mine[0]}{also}")
    return lines
