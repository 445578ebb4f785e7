"""The command itself, through its entry point: help, exit codes, and one line for what is wrong."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from densegt.cli.main import COMMANDS, group
from packaging.requirements import Requirement

import densegt
from densegt import doctor
from densegt.install_hint import install_command

# Whole scenes are simulated, read or rendered.
pytestmark = pytest.mark.slow

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
    done = CliRunner().invoke(group, [name, "--help"])
    assert done.exit_code == 0, done.output
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


def test_doctor_finds_this_environment_whole(monkeypatch):
    """What imports of optional packages come to is a test of its own: to import them all takes half a minute."""
    monkeypatch.setattr(doctor, "import_trouble", lambda module: None)
    done = CliRunner().invoke(group, ["doctor"], standalone_mode=False)
    assert not done.return_value, done.output
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


def test_doctor_says_why_a_package_does_not_import():
    assert doctor.import_trouble("json") is None
    assert doctor.import_trouble("no_such_package") == "ModuleNotFoundError: No module named 'no_such_package'"
    missing = doctor.optional_package("train", Requirement("no-such-package>=1"))
    assert (missing.state, missing.broken) == (f"missing: {install_command('train')}", False)
    assert doctor.core_package(Requirement("no-such-package>=1")).broken
    assert doctor.core_package(Requirement("numpy>=99")).state.endswith('pip install "numpy>=99"')
