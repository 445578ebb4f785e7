"""The option --street of `densegt simulate` and `densegt demo`."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import click


def default_street() -> str:
    """The city where open3d imports, else the simple street; on slim systems it is there but lacks a library."""
    try:
        import_module("open3d")
    except (ImportError, OSError) as error:
        click.echo(f"the street is simple, as open3d does not import ({error})", err=True)
        return "simple"
    return "city"


def _chosen(ctx: click.Context, param: click.Parameter, value: str | None) -> str:
    return value or default_street()


street_option: Callable[[Any], Any] = click.option(
    "--street",
    type=click.Choice(["city", "simple"]),
    callback=_chosen,
    help="Meshes and hard lidar physics, or closed-form shapes on smooth ground.  [default: city if open3d imports]",
)
