"""`--config`, whose help names the configurations that ship."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from densegt.shipped_configs import shipped_names

# The default of an option that only overrides a value of the configuration.
FROM_CONFIG = "from --config"

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def own_names(prefix: str) -> list[str]:
    """Configurations of one command, `<prefix>-<name>.yaml`, by what is typed; the best known first."""
    names = (name.removeprefix(f"{prefix}-") for name in shipped_names(f"{prefix}-"))
    return sorted(names, key=lambda name: (name not in ("miniature", "full"), name))


def shared_names() -> list[str]:
    """Configurations of `accumulate`: those whose names have no prefix and that are no city's."""
    return [name for name in shipped_names() if "-" not in name and name != "city"]


def config_option(prefix: str) -> Decorator:
    """`--config` of a training, whose configurations begin with a prefix of its own."""
    names = ", ".join(own_names(prefix))
    help = f"{names}, or a YAML file; miniature takes minutes without a GPU.  [default: full]"
    return click.option("--config", metavar="NAME|FILE", help=help)
