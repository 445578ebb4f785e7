"""The command itself, through its entry point: help, exit codes, and one line for what is wrong."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from densegt.cli.main import COMMANDS, group

import densegt

README = (Path(__file__).parents[2] / "README.md").read_text()


def run(*arguments):
    code = "from densegt.cli.main import main; main()"
    return subprocess.run([sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True)


def test_help_lists_every_command():
    done = run("--help")
    assert done.returncode == 0
    for name in COMMANDS:
        assert re.search(rf"^  {name} ", done.stdout, re.MULTILINE), name


def test_version():
    assert densegt.__version__ in run("--version").stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name):
    done = run(name, "--help")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Usage:")
    assert group.get_command(None, name).name == name


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_readme(name):
    assert f"`densegt {name}" in README


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nonsense"], "nonsense"),
        (["check"], "--dataroot"),
        (["check", "--dataroot", "not/there"], "not/there: no such folder"),
        (["accumulate", "--dataroot", "not/there", "--out", "not/made"], "not/there: no such folder"),
        (["evaluate", "--pred", "not/there", "--truth", "not/there"], "not/there: no such folder"),
        (["export", "--depth", "not/there", "--format", "npz", "--out", "not/made"], "not/there: no such folder"),
        (["simulate", "--out", "not/made", "--seconds", "-1"], "-1"),
        (["simulate", "--out", "not/made", "--image-size", "big"], "big"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_line_and_exit_code_2(arguments, says):
    done = run(*arguments)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("densegt: ")
    assert says in line


# Every package is imported, torch, open3d and ray among them.
@pytest.mark.slow
def test_doctor_finds_this_environment_whole():
    done = run("doctor")
    assert done.returncode == 0, done.stdout
    for name in (
        "python",
        "kernel cache",
        "numpy",
        "h5py",
        "numba",
        "torch [train]",
        "open3d [cloud]",
        "nuscenes-devkit [devkit]",
    ):
        assert re.search(rf"^{re.escape(name)} ", done.stdout, re.MULTILINE), name
