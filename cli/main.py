"""`densegt`: the group of commands. Each command's module is imported only when it is called."""

from __future__ import annotations

import errno
import importlib
import os
import sys

import click

import densegt
from densegt.errors import InputError
from densegt.suggestion import closest

# By what they are for; within a section in the order of work.
SECTIONS = {
    "Begin": {
        "demo": "The whole line on a simulated drive, in one folder, with pages to look at.",
        "doctor": "What is installed, what is missing and how to get it.",
        "check": "Check that a recording is complete and consistent, before hours are spent on it.",
        "simulate": "Write a small driving world in nuScenes format with exact depth.",
    },
    "Dense depth": {
        "accumulate": "Turn a recording into dense depth maps of every camera keyframe.",
        "complete": "Fill the gaps of a depth store, guided by the images.",
        "export": "Write a store in another tool's format: BEVDepth, KITTI, NPZ, Occ3D, ...",
    },
    "How good is it": {
        "evaluate": "Score depth against exact depth, or a recording against its own lidar.",
        "compare": "Set two depth stores side by side, and show where they differ most.",
        "view": "Write one page to look around in: every pixel's metres, and the cloud in 3D.",
        "report": "Write one page with pictures and figures of a depth store.",
    },
    "Boxes, motion and voxels": {
        "autolabel": "Boxes and shapes of vehicles in a recording that nobody labelled.",
        "predict-motion": "Say of every lidar point whether it moves, for `accumulate --motion-votes`.",
        "occupancy": "Turn a recording into voxels: occupied, free, unobserved, and what moves.",
    },
    "Networks": {
        "train-lss": "Train a Lift-Splat detector, with or without depth to learn from.",
        "train-pl": "Train a detector on pseudo-LiDAR: points made of estimated depth.",
        "train-mono": "Train a detector of 3D boxes in single images, without 3D labels.",
        "predict": "Find boxes, vehicles and depth with a trained detector.",
        "quantise": "Write a trained detector as an ONNX file that computes at eight bits.",
        "train-completion": "Train the network that `complete --method network` uses.",
        "train-motion": "Train the network that `predict-motion` uses.",
    },
}
COMMANDS = {name: help for section in SECTIONS.values() for name, help in section.items()}


# No fault of the command.
_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ESTALE}


class LateGroup(click.Group):
    """Lists commands without importing them, so that --help answers at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the sections."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command's module and give its `command`."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f".{cmd_name.replace('-', '_')}", __package__).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command; of an unknown one the error names the one most like it."""
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            alike = closest(args[0], COMMANDS)
            meant = f"Did you mean '{alike}'?" if alike else "`densegt --help` lists them."
            ctx.fail(f"No such command {args[0]!r}. {meant}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List names and help from the table above, not from the commands."""
        width = max(map(len, COMMANDS))
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(f"{name:<{width}}", help) for name, help in commands.items()])


@click.group(
    cls=LateGroup,
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True, "max_content_width": 110},
)
@click.version_option(densegt.__version__, prog_name="densegt")
def group() -> None:
    """Dense depth ground truth from driving recordings, moving objects included.

    \b
    Try it with nothing downloaded:  densegt demo
    On your recordings:              densegt accumulate --dataroot /data/nuscenes --out depth
    Options, defaults, examples:     densegt accumulate --help
    What is installed:               densegt doctor
    Completion in bash:              eval "$(_DENSEGT_COMPLETE=bash_source densegt)"   (zsh_source, fish_source)
    """


def main() -> None:
    """Entry point: bad input is one line on stderr and exit code 2, a disk that fails one and 1, Ctrl-C is 130."""
    try:
        code = group.main(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except InputError as error:
        click.echo(f"densegt: {error}", err=True)
        sys.exit(2)
    except BrokenPipeError:
        # Whoever read the output has gone; Python would say so once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        # A full or read-only disk, a file that went away meanwhile.
        where = f"{error.filename}: " if error.filename else ""
        click.echo(f"densegt: {where}{error.strerror or ' '.join(str(error).split())}", err=True)
        sys.exit(1 if error.errno in _DISK else 2)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        click.echo(f"densegt: {error.format_message()}", err=True)
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("densegt: interrupted; finished files are whole and stay", err=True)
        sys.exit(130)
