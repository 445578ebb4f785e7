"""The help: every command in one section, every option with its default or a reason to have none."""

import re

import click
import pytest
from click.testing import CliRunner
from densegt.cli.main import COMMANDS, SECTIONS, group

# Inputs and outputs that are simply left out where they are not given.
NO_DEFAULT = {
    "--boxes-2d", "--checkpoint", "--depth", "--engine", "--init", "--input", "--json", "--keyframe-every",
    "--labels", "--memory", "--motion-votes", "--occupancy", "--ply", "--pred", "--report", "--rerun", "--truth",
    "--votes",
}  # fmt: skip
# Named in a sentence about what is done without it.
TOLD = {"evaluate --dataroot", "compare --dataroot"}


def shown(name):
    done = CliRunner().invoke(group, [name, "--help"] if name else ["--help"], terminal_width=200)
    assert done.exit_code == 0, done.output
    return done.output


def test_every_command_stands_in_one_section():
    names = [name for section in SECTIONS.values() for name in section]
    assert len(names) == len(set(names)) == len(COMMANDS)
    text = shown(None)
    for title in SECTIONS:
        assert f"\n{title}:\n" in text


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_tells_its_default(name):
    text = shown(name)
    options = text.partition("\nOptions:\n")[2]
    assert "UNSET" not in text
    command = group.get_command(None, name)
    for option in command.params:
        if not isinstance(option, click.Option) or (option.is_flag and not option.secondary_opts):
            continue
        long = next(word for word in option.opts if word.startswith("--"))
        if option.required or long in NO_DEFAULT or f"{name} {long}" in TOLD:
            continue
        part = re.search(rf"^  {long}\b.*?(?=^  -|\Z)", options, re.MULTILINE | re.DOTALL)[0]
        assert "[default: " in " ".join(part.split()), f"{name} {long}"


@pytest.mark.parametrize("name", COMMANDS)
def test_lines_of_examples_are_not_wrapped(name):
    """An example broken in two cannot be copied."""
    for line in shown(name).splitlines():
        assert not re.match(r"  (?:Example:\s+)?densegt [a-z-]+ .*--$", line)
        if line.startswith("  densegt "):
            assert len(line) <= 118
