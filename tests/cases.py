"""Cases of a test, of which a few are run each time and all by `make exhaustive`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def mostly(cases: Iterable[Any], keep: int) -> list[Any]:
    """Cases as parameters; all but the first `keep` are like them, and marked `exhaustive`."""
    out = []
    for number, case in enumerate(cases):
        given = case if hasattr(case, "marks") else pytest.param(*(case if isinstance(case, tuple) else (case,)))
        more = () if number < keep else (pytest.mark.exhaustive,)
        out.append(pytest.param(*given.values, marks=(*given.marks, *more), id=given.id))
    return out
