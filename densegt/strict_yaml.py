"""YAML as people write it by hand: a mapping in UTF-8, each key once, of a size that can be looked at."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from densegt.errors import InputError

_MAX_BYTES = 1 << 18
# Values once aliases are put in; ten lines of them can stand for billions.
_MAX_VALUES = 50_000
_MAX_TEXT = 200


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice, where YAML would let the last one win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        merged = {id(value) for key, value in node.value if key.tag == "tag:yaml.org,2002:merge"}
        own = [key for key, value in node.value if id(value) not in merged and isinstance(key, yaml.ScalarNode)]
        seen: set[tuple[str, str]] = set()
        for key in own:
            if (key.tag, key.value) in seen:
                raise yaml.MarkedYAMLError(problem=f"{key.value!r} stands there twice", problem_mark=key.start_mark)
            seen.add((key.tag, key.value))
        return super().construct_mapping(node, deep)


def read_yaml_mapping(path: Path, name: str | None = None) -> dict[str, Any]:
    """The mapping in a YAML file; an empty file is an empty one.

    Args:
        name: of the file in messages; its path if not given.

    Raises:
        InputError: it cannot be read, is no YAML, too large or deep, or no mapping of names to values; in one line.
    """
    name = name or str(path)
    values = _parsed(name, _text(name, path))
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise InputError(f"{name}: a mapping of keys to values is wanted, not {shortened(values)}")
    for key in values:
        if not isinstance(key, str):
            raise InputError(f"{name}: keys are names, not {shortened(key)}")
    return values


def shortened(value: object) -> str:
    """A value on one line of at most 80 characters."""
    if isinstance(value, (dict, list, tuple, set)):
        return f"a {type(value).__name__} of {len(value)}"
    try:
        text = " ".join(repr(value).split())
    except ValueError:  # a number of more digits than Python writes
        return "a very large number"
    return text if len(text) <= 80 else f"{text[:60]}... ({len(text)} characters)"


def _text(name: str, path: Path) -> str:
    try:
        if path.exists() and not path.is_file():
            raise InputError(f"{name}: not a file")
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"{name}: {error.strerror}") from None
    if len(content) > _MAX_BYTES:
        raise InputError(f"{name}: more than {_MAX_BYTES >> 10} KiB; that is no configuration")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InputError(f"{name}: line {line} is not UTF-8; save it with that encoding") from None


def _parsed(name: str, text: str) -> Any:
    loader = _Loader(text) if text.isprintable() or yaml.reader.Reader.NON_PRINTABLE.search(text) is None else None
    if loader is None:
        raise InputError(f"{name}: not YAML (it holds a control character)")
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _count(node, {}, ())
        return loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        where = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise InputError(f"{name}: {where}{_one_line(error.problem or error.context or '')}") from None
    except RecursionError:
        raise InputError(f"{name}: nested too deeply") from None
    # A date that no calendar has, a number of too many digits, a key that is a list.
    except (yaml.YAMLError, ValueError, TypeError, OverflowError) as error:
        raise InputError(f"{name}: not YAML ({_one_line(str(error))})") from None
    finally:
        loader.dispose()


def _count(node: yaml.Node, known: dict[int, int], inside: tuple[int, ...]) -> int:
    """Number of values under a node, aliases followed.

    Raises:
        yaml.MarkedYAMLError: they are too many, or never end.
    """
    if id(node) in inside:
        raise yaml.MarkedYAMLError(problem="an alias contains itself", problem_mark=node.start_mark)
    if id(node) not in known:
        parts = node.value if isinstance(node.value, list) else []
        below = [part for pair in parts for part in (pair if isinstance(pair, tuple) else (pair,))]
        known[id(node)] = 1 + sum(_count(part, known, (*inside, id(node))) for part in below)
    if known[id(node)] > _MAX_VALUES:
        raise yaml.MarkedYAMLError(problem="its aliases stand for too many values", problem_mark=node.start_mark)
    return known[id(node)]


def _one_line(text: str) -> str:
    return " ".join(text.split())[:_MAX_TEXT]
