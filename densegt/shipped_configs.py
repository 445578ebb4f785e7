"""Names of the configurations that ship with densegt."""

from __future__ import annotations

from importlib.resources import files


def shipped_names(prefix: str = "") -> list[str]:
    """Those that begin with a prefix."""
    found = (file.name for file in files("densegt.configs").iterdir())
    return sorted(name.removesuffix(".yaml") for name in found if name.endswith(".yaml") and name.startswith(prefix))
