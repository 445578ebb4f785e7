"""YAML configuration: only what differs from the defaults; unknown keys are errors."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from densegt.errors import InputError
from densegt.strict_yaml import read_yaml_mapping, shortened

Config = TypeVar("Config", bound=BaseModel)


def load_config(model: type[Config], name: str | None, given: Mapping[str, Any]) -> Config:
    """Defaults, then the YAML file or shipped configuration `name`, then the options `given` on the command line.

    Raises:
        InputError: no such file, not YAML, an unknown key, a value out of range.
    """
    values = {**(read_yaml(name) if name else {}), **given}
    return _validated(model, values, name or "options")


def overridden(config: Config, changes: Mapping[str, Any]) -> Config:
    """The same configuration with some values changed, at any depth: {"model": {"bins": {"kind": "LID"}}}.

    Raises:
        InputError: an unknown key, a value out of range.
    """
    return _validated(type(config), _merged(config.model_dump(), changes), "options")


def _validated(model: type[Config], values: Mapping[str, Any], name: str) -> Config:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    except RecursionError:
        raise InputError(f"{name}: nested too deeply") from None
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        raise InputError(f"{name}: no such key: {key[:100]}{_suggestion(model, first['loc'])}")
    said = first["msg"].removeprefix("Value error, ")[:200]
    raise InputError(f"{name}: {key[:100]}: {said} (got {shortened(first['input'])})")


def _suggestion(model: type[BaseModel], key: Sequence[int | str]) -> str:
    """The known key that is most like an unknown one, or all of its section."""
    section: type[BaseModel] | None = model
    for part in key[:-1]:
        field = section.model_fields.get(str(part)) if section else None
        options = (field.annotation, *get_args(field.annotation)) if field else ()
        section = next((t for t in options if isinstance(t, type) and issubclass(t, BaseModel)), section)
    known = list(section.model_fields) if section else []
    alike = difflib.get_close_matches(str(key[-1])[:100], known, n=1)
    return f"; did you mean {alike[0]}?" if alike else f"; known are {', '.join(known)}"[:200]


def _merged(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    deeper = {
        name: _merged(values[name], change) if isinstance(change, Mapping) and name in values else change
        for name, change in changes.items()
    }
    return {**values, **deeper}


def read_yaml(name: str) -> dict[str, Any]:
    """The mapping in a YAML file, or in the shipped configuration of that name.

    Raises:
        InputError: no such file, or not a mapping in YAML.
    """
    with suppress(OSError):  # a name that no file can have
        if Path(name).is_file():
            return read_yaml_mapping(Path(name), name)
    shipped = files("densegt.configs") / f"{name}.yaml"
    if "/" in name or len(name) > 100 or not shipped.is_file():
        raise InputError(f"{name[:300]}: no such configuration file, and none of that name ships with densegt")
    with as_file(shipped) as file:
        return read_yaml_mapping(file, name)
