"""`densegt doctor`."""

from __future__ import annotations

import click


@click.command("doctor")
def command() -> int:
    """What is installed, what is missing and how to get it.

    \b
    densegt doctor

    Exit code 1 only where a package of the core is missing or broken; optional parts may be absent.
    """
    from densegt.doctor import examine

    broken = 0
    for line in examine():
        click.echo(f"{line.name:<26}{line.state}")
        broken += line.broken
    if broken:
        click.echo(f"{broken} core package{'s' if broken > 1 else ''} missing or broken", err=True)
    return 1 if broken else 0
