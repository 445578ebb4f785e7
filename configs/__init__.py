"""Configurations that ship: YAML files beside this one, only what differs from the defaults."""

from __future__ import annotations

from importlib.resources import files


def shipped_names(prefix: str = "") -> list[str]:
    """Names of the configurations that begin with a prefix."""
    found = (file.name for file in files(__name__).iterdir())
    return sorted(name.removesuffix(".yaml") for name in found if name.endswith(".yaml") and name.startswith(prefix))
