"""Do the tables fit together? Every token leads to a row, no token is there twice, chains go one way and end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from densegt.datasets.nuscenes.findings import Finding, RowsByTable

# table, field, the table it leads to
_ALWAYS = (
    ("calibrated_sensor", "sensor_token", "sensor"),
    ("instance", "category_token", "category"),
    ("sample", "scene_token", "scene"),
    ("sample_annotation", "instance_token", "instance"),
    ("sample_annotation", "sample_token", "sample"),
    ("sample_data", "calibrated_sensor_token", "calibrated_sensor"),
    ("sample_data", "ego_pose_token", "ego_pose"),
    ("sample_data", "sample_token", "sample"),
    ("scene", "first_sample_token", "sample"),
    ("scene", "last_sample_token", "sample"),
)
_UNLESS_EMPTY = (
    ("instance", "first_annotation_token", "sample_annotation"),
    ("instance", "last_annotation_token", "sample_annotation"),
    ("sample_annotation", "visibility_token", "visibility"),
    ("scene", "log_token", "log"),
    *((table, field, table) for table in ("sample", "sample_annotation", "sample_data") for field in ("prev", "next")),
)
_LISTS = (
    ("map", "log_tokens", "log"),
    ("sample_annotation", "attribute_tokens", "attribute"),
)
CHAINED = ("sample", "sample_annotation", "sample_data")


def relations(tables: RowsByTable) -> Iterator[Finding]:
    """Everything that is wrong with tokens."""
    for table in tables.rows:
        yield from duplicate_tokens(tables, table)
    for table, field, target, token, value in _references(tables):
        yield Finding("dangling", tables.where(table), f"row {token}: {field} {value!r} is in no row of {target}")
    for table in CHAINED:
        yield from broken_links(tables, table)
        yield from cycles(tables, table)


def duplicate_tokens(tables: RowsByTable, table: str) -> Iterator[Finding]:
    """Tokens that more than one row of a table has."""
    for token, count in Counter(row.token for row in tables[table]).items():
        if count > 1:
            yield Finding("duplicate", tables.where(table), f"token {token!r} is in {count} rows")


def _references(tables: RowsByTable) -> Iterator[tuple[str, str, str, str, str]]:
    """Every (table, field, target, row's token, value) that leads nowhere; what leads to an unread table is left."""
    tokens = {table: {row.token for row in rows} for table, rows in tables.rows.items()}
    for table, field, target in (*_ALWAYS, *_UNLESS_EMPTY, *_LISTS):
        if target not in tables:
            continue
        known = tokens[target] | {""} if (table, field, target) in _UNLESS_EMPTY else tokens[target]
        for row in tables[table]:
            value = getattr(row, field)
            for token in value if isinstance(value, list) else [] if value is None else [value]:
                if token not in known:
                    yield table, field, target, row.token, token


def broken_links(tables: RowsByTable, table: str) -> Iterator[Finding]:
    """Neighbours of which the one does not name the other."""
    by_token = tables.by_token(table)
    for row in tables[table]:
        for field, back in (("next", "prev"), ("prev", "next")):
            neighbour = by_token.get(getattr(row, field))
            if neighbour is not None and getattr(neighbour, back) != row.token:
                what = f"row {row.token}: {field} is {neighbour.token}, whose {back} is {getattr(neighbour, back)!r}"
                yield Finding("chain", tables.where(table), what)


def cycles(tables: RowsByTable, table: str) -> Iterator[Finding]:
    """Chains of `next` or of `prev` that come back to where they were, each named once."""
    by_token = tables.by_token(table)
    for field in ("next", "prev"):
        for token, length in _cycles(by_token, field):
            what = f"row {token}: following {field} comes back to it after {length} row{'s' if length > 1 else ''}"
            yield Finding("chain", tables.where(table), what)


def _cycles(by_token: dict[str, Any], field: str) -> Iterator[tuple[str, int]]:
    walk_of: dict[str, int] = {}
    for walk, start in enumerate(by_token):
        token = start
        while token in by_token and token not in walk_of:
            walk_of[token] = walk
            token = getattr(by_token[token], field)
        if walk_of.get(token) == walk:
            yield token, _cycle_length(by_token, field, token)


def _cycle_length(by_token: dict[str, Any], field: str, start: str) -> int:
    length, token = 1, getattr(by_token[start], field)
    while token != start:
        length, token = length + 1, getattr(by_token[token], field)
    return length
