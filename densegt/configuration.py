"""YAML configuration: only what differs from the defaults; unknown keys are errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from densegt.errors import InputError
from densegt.shipped_configs import shipped_names
from densegt.strict_yaml import read_yaml_mapping, shortened
from densegt.suggestion import closest, did_you_mean

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

Config = TypeVar("Config", bound=BaseModel)
# In one message.
MOST_MISTAKES = 10
# pydantic's kinds of error in plain words.
_WANTED = {
    "bool_parsing": "true or false is wanted",
    "bool_type": "true or false is wanted",
    "dict_type": "keys and values are wanted",
    "finite_number": "a finite number is wanted",
    "float_parsing": "a number is wanted",
    "float_type": "a number is wanted",
    "greater_than": "more than {gt} is wanted",
    "greater_than_equal": "{ge} or more is wanted",
    "int_from_float": "a whole number is wanted",
    "int_parsing": "a whole number is wanted",
    "int_type": "a whole number is wanted",
    "less_than": "less than {lt} is wanted",
    "less_than_equal": "{le} or less is wanted",
    "list_type": "a list is wanted",
    "literal_error": "one of {expected} is wanted",
    "model_type": "keys and values are wanted",
    "string_type": "a text is wanted",
    "tuple_type": "a list is wanted",
}


def load_config(model: type[Config], name: str | None, given: Mapping[str, Any]) -> Config:
    """Defaults, then the YAML file or shipped configuration `name`, then the options `given` on the command line.

    Raises:
        InputError: no such file, not YAML, an unknown key, a value out of range.
    """
    values = {**(read_yaml(name) if name else {}), **given}
    return validated(model, values, name or "options")


def overridden(config: Config, changes: Mapping[str, Any]) -> Config:
    """The same configuration with some values changed, at any depth: {"model": {"bins": {"kind": "LID"}}}.

    Raises:
        InputError: an unknown key, a value out of range.
    """
    return validated(type(config), _merged(config.model_dump(), changes), "options")


def validated(model: type[Config], values: Mapping[str, Any], name: str) -> Config:
    """Values as a model.

    Args:
        name: of where they are from, for messages.

    Raises:
        InputError: an unknown key, a value out of range.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise InputError(f"{name}: {mistakes(model, error)}") from None
    except RecursionError:
        raise InputError(f"{name}: nested too deeply") from None


def mistakes(model: type[BaseModel], error: ValidationError) -> str:
    """All that is wrong with some values, in one line of plain words; of many mistakes the first ones."""
    found = [" ".join(_mistake(model, one).split()) for one in error.errors(include_url=False)]
    if len(found) == 1:
        return found[0]
    more = f" and {len(found) - MOST_MISTAKES} more" if len(found) > MOST_MISTAKES else ""
    return f"{len(found)} mistakes: " + " | ".join(found[:MOST_MISTAKES]) + more


def _mistake(model: type[BaseModel], error: ErrorDetails) -> str:
    key = ".".join(str(part) for part in error["loc"])[:100]
    if error["type"] == "extra_forbidden":
        return f"no such key: {key}{_suggestion(model, error['loc'])}"
    if error["type"] == "missing":
        return f"{key}: missing{_what_to_write(model, error['loc'])}"
    wanted = _WANTED.get(error["type"])
    context = {name: value for name, value in error.get("ctx", {}).items() if name != "error"}
    said = wanted.format(**context) if wanted else error["msg"].removeprefix("Value error, ")
    return f"{key}: {said[:200]} (got {shortened(error['input'])})"


def _suggestion(model: type[BaseModel], key: Sequence[int | str]) -> str:
    """The known key that is most like an unknown one, or all of its section."""
    return did_you_mean(str(key[-1]), list(_keys(_section(model, key[:-1]))))


def _what_to_write(model: type[BaseModel], key: Sequence[int | str]) -> str:
    """The description of a missing key, where it has one."""
    field = _keys(_section(model, key[:-1])).get(str(key[-1]))
    return f"; {field.description}" if field and field.description else ""


def _section(model: type[BaseModel], key: Sequence[int | str]) -> type[BaseModel]:
    """The part of a model that a key leads to."""
    section = model
    for part in key:
        field = _keys(section).get(str(part))
        options = (field.annotation, *get_args(field.annotation)) if field else ()
        section = next((t for t in options if isinstance(t, type) and issubclass(t, BaseModel)), section)
    return section


def _keys(section: type[BaseModel]) -> dict[str, FieldInfo]:
    """Fields by the key that is written in a file."""
    return {field.alias or name: field for name, field in section.model_fields.items()}


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
        alike = closest(name, shipped_names())
        meant = f"; did you mean {alike}?" if alike else ""
        raise InputError(f"{name[:300]}: no such configuration file, and none of that name ships with densegt{meant}")
    with as_file(shipped) as file:
        return read_yaml_mapping(file, name)
