"""YAML configuration: only what differs from the defaults; unknown keys are errors."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from densegt.errors import InputError

Config = TypeVar("Config", bound=BaseModel)


def load_config(model: type[Config], name: str | None, given: Mapping[str, Any]) -> Config:
    """Defaults, then the YAML file or shipped configuration `name`, then the options `given` on the command line.

    Raises:
        InputError: no such file, not YAML, an unknown key, a value out of range.
    """
    values = {**(read_yaml(name) if name else {}), **given}
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{name or 'options'}: {key}: {first['msg']} (got {first['input']!r})") from None


def overridden(config: Config, changes: Mapping[str, Any]) -> Config:
    """The same configuration with some values changed, at any depth: {"model": {"bins": {"kind": "LID"}}}.

    Raises:
        InputError: an unknown key, a value out of range.
    """
    try:
        return type(config).model_validate(_merged(config.model_dump(), changes))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise InputError(f"options: {key}: {first['msg']} (got {first['input']!r})") from None


def _merged(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    deeper = {
        name: _merged(values[name], change) if isinstance(change, Mapping) and name in values else change
        for name, change in changes.items()
    }
    return {**values, **deeper}


def read_yaml(name: str) -> dict[str, Any]:
    """The mapping in a YAML file, or in the shipped configuration of that name.

    Raises:
        InputError: no such file, or not a mapping.
    """
    path = Path(name)
    shipped = files("densegt.configs") / f"{name}.yaml"
    if path.is_file():
        text = path.read_text()
    elif shipped.is_file():
        text = shipped.read_text()
    else:
        raise InputError(f"{name}: no such configuration file, and none of that name ships with densegt")
    try:
        values = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise InputError(f"{name}: not YAML ({str(error).splitlines()[0]})") from None
    if not isinstance(values, dict):
        raise InputError(f"{name}: a configuration is a mapping of keys to values")
    return values
