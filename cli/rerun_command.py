"""The command that was given, for other scenes."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import click
from click.core import ParameterSource


def rerun_command(ctx: click.Context, *, scenes: Sequence[str]) -> str:
    """Command line for these scenes alone, with every other option as it was typed."""
    words = ["densegt", ctx.command.name or ""]
    for parameter in ctx.command.params:
        name = parameter.name or ""
        if name == "scenes" or ctx.get_parameter_source(name) is not ParameterSource.COMMANDLINE:
            continue
        value = ctx.params[name]
        if isinstance(value, bool):
            words.append(parameter.opts[0] if value else parameter.secondary_opts[0])
        else:
            for one in value if isinstance(value, tuple) else (value,):
                words += [parameter.opts[0], str(one)]
    for scene in scenes:
        words += ["--scene", scene]
    return shlex.join(words)
