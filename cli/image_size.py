"""WIDTHxHEIGHT of an option."""

from __future__ import annotations

import re
from typing import overload

import click


@overload
def image_size(ctx: click.Context, param: click.Parameter, value: str) -> tuple[int, int]: ...
@overload
def image_size(ctx: click.Context, param: click.Parameter, value: None) -> None: ...
def image_size(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, int] | None:
    """(width, height) in px; None where the option is not given."""
    if value is None:
        return None
    match = re.fullmatch(r"(\d+)[xX](\d+)", value)
    if not match or not all(16 <= int(n) <= 4096 for n in match.groups()):
        raise click.BadParameter(f"{value!r} is not WIDTHxHEIGHT with 16 to 4096 px a side, such as 800x450")
    return int(match[1]), int(match[2])
