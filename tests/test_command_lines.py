"""Every command line in the README, the documentation and the commands' help is run, or named here as only read."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner
from densegt.cli.main import COMMANDS, group

from .cases import mostly
from .conftest import densegt_does

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
PROGRAMS = ("densegt", "eval", "git", "make", "pip", "pytest", "python", "rerun", "sbatch")

# densegt's lines whose options are only read, and where the command itself is run.
ONLY_READ = {
    "autolabel": "tests/autolabel, with less to do",
    "demo": "tests/cli/test_demo.py, with less to do",
    "doctor": "tests/cli/test_main.py",
    "predict": "tests/detection",
    "predict-motion": "tests/motion_net/test_commands.py",
    "quantise": "tests/quantisation",
    "simulate": "tests/simulate, with less to do",
    "train-completion": "tests/completion/test_train.py",
    "train-lss": "tests/detection",
    "train-motion": "tests/motion_net/test_commands.py",
    "train-mono": "tests/detection/mono",
    "train-pl": "tests/detection/points/pseudo_lidar",
}
# Options that need what a test has not.
ONLY_READ_WITH = {
    "--ray-address": "tests/batch/executor/test_on_ray.py",
    "--checkpoint": "tests/completion",
    "--motion-votes": "tests/accumulation/motion/test_votes.py",
    "--exact": "tests/occupancy/test_exact.py",
    "--labels": "tests/autolabel/test_run.py, tests/view/test_labels.py",
}

# Recordings in other formats than that of the small world.
OTHER_RECORDINGS = {
    "labels/recording": "tests/autolabel",
    "/data/argoverse2": "tests/datasets/argoverse2",
    "/data/kitti": "tests/datasets/kitti_raw, tests/depth/test_kitti_depth.py",
    "my-recording": "tests/datasets/custom",
}

# What stands for the reader's own data.
INSTEAD = {
    "/data/nuscenes": "world",
    "/data/recording": "world",
    "/data/first": "world",
    "scene-0061": "scene-0001",
    "v1.0-trainval": "v1.0-mini",
    "/data/depth": "depth",
    "704x396": "48x27",
}
WORDS = re.compile("|".join(map(re.escape, INSTEAD)))


@dataclass(frozen=True)
class Line:
    """A command line and where it stands."""

    where: str
    text: str

    def __str__(self):
        return f"{self.where}: {self.text}"

    @property
    def words(self):
        return shlex.split(self.text, comments=True)

    @property
    def stand_in(self):
        """The words with a small world in place of the reader's data."""
        return [WORDS.sub(lambda found: INSTEAD[found[0]], word) for word in self.words]


def commands_in(text, indent):
    """Command lines, each joined with those it goes on in."""
    lines = re.sub(r"\\\n\s+", "", text).splitlines()
    starts = re.compile(rf"^{indent}(?:Example:\s+)?((?:{'|'.join(PROGRAMS)})\b.*)$")
    for line in lines:
        for part in [found[1]] if (found := starts.match(line)) else []:
            yield from (piece.strip() for piece in part.split(" && "))


def help_of(name):
    done = CliRunner().invoke(group, [*([name] if name else []), "--help"], terminal_width=200, standalone_mode=False)
    assert done.exception is None, done.exception
    return done.output


def lines_of_pages():
    for page in PAGES:
        without_code = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
        for text in commands_in(without_code, " {4}"):
            yield Line(page.name, text)
        for text in re.findall(r"`((?:python -m benchmarks|make )[^`]+)`", without_code):
            yield Line(page.name, text)


def lines_of_help():
    for name in COMMANDS:
        for text in commands_in(help_of(name), r"\s+"):
            yield Line(f"densegt {name} --help", text)


LINES = list(dict.fromkeys([*lines_of_pages(), *lines_of_help()]))
OF_DENSEGT = [line for line in LINES if line.words[0] == "densegt" and line.words[1] in COMMANDS]
OTHERS = [line for line in LINES if line not in OF_DENSEGT]


def only_read(line):
    name, *options = line.words[1:]
    elsewhere = name in ONLY_READ or set(options) & set(ONLY_READ_WITH)
    return bool(elsewhere) or any(recording in line.text for recording in OTHER_RECORDINGS)


# What a command does besides its main job: of each a few lines are run always.
MODES = ("--leave-one-out", "--complete", "--pred", "--occupancy", "--window")


def to_run():
    """Lines to run for real: of those that differ only in names and numbers, one; of one command and mode a few."""
    kinds = {}
    for line in OF_DENSEGT:
        if not only_read(line):
            options = (
                word for word in line.words[2:] if word.startswith("--") or word in ("kitti", "bevdepth-bin", "npz")
            )
            kinds.setdefault((line.words[1], *sorted(options)), line)
    modes = {}
    for line in kinds.values():
        modes.setdefault((line.words[1], *(word for word in MODES if word in line.words)), []).append(line)
    return [case for mode, lines in modes.items() for case in mostly(lines, keep=1 if mode[1:] else 3)]


@pytest.fixture(scope="module")
def folders(whole_line, tmp_path_factory):
    """What the lines read: a world, its depth and voxels, completed depth, one's own prediction, and a demo's."""
    folder = tmp_path_factory.mktemp("lines")
    for name in ("world", "depth", "completed"):
        (folder / name).symlink_to(whole_line / name)
    (folder / "sweeps").symlink_to(whole_line / "depth")
    densegt_does(["occupancy", "--dataroot", str(whole_line / "world"), "--out", str(folder / "occupancy")])
    shutil.copytree(whole_line / "world" / "exact", folder / "mine")
    shutil.copytree(folder, folder / "densegt-demo", symlinks=True)
    return folder


def run(arguments):
    done = CliRunner().invoke(group, arguments, standalone_mode=False)
    assert done.exception is None, f"{done.exception!r}\n{done.output}"
    assert not done.return_value, done.output
    return done


def test_lines_are_found_and_none_is_overlooked():
    assert len(OF_DENSEGT) > 30
    assert {line.words[1] for line in OF_DENSEGT} == set(COMMANDS)
    for page in PAGES:
        without_code = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
        for line in re.findall(r"^ {4}(\S+ .*|\S+)$", without_code, re.MULTILINE):
            known = line.split()[0] in PROGRAMS or page.name in ("commands.md", "python.md") or "->" in line
            assert known or re.match(r"\(datasets\)|nuScenes folder", line.strip()), (
                f"{page.name}: {line!r}: run by whom?"
            )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_has_an_example_of_its_own(name):
    assert any(line.words[:2] == ["densegt", name] for line in LINES if line.where == f"densegt {name} --help")


@pytest.mark.parametrize("line", OF_DENSEGT, ids=str)
def test_options_are_the_commands(line):
    """Names, choices and numbers are right; nothing is done."""
    name, *arguments = line.words[1:]
    with group.make_context("densegt", [name, *arguments], resilient_parsing=False) as context:
        group.get_command(context, name).make_context(name, arguments, parent=context)


# Each line starts the program that it names.
@pytest.mark.slow
@pytest.mark.parametrize("line", to_run(), ids=str)
def test_line_does_what_it_says(line, folders, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name, *arguments = line.stand_in[1:]
    out = arguments[arguments.index("--out") + 1] if "--out" in arguments else None
    for source in folders.iterdir():
        if source.name != out:
            (tmp_path / source.name).symlink_to(source, target_is_directory=True)
    (tmp_path / "mylidar.yaml").write_text(re.search(r"```yaml\n(.*?)```", recipes(), re.DOTALL)[1])
    if name == "view" and "--ply" in arguments:
        pytest.importorskip("open3d")
    if name == "view" and "--rerun" in arguments:
        pytest.importorskip("rerun")
    run([name, *arguments])
    # An estimate is told before anything is written.
    assert out is None or (tmp_path / out).exists() == ("--estimate" not in arguments)


def recipes():
    return (ROOT / "docs" / "recipes.md").read_text()


# Each line starts the program that it names.
@pytest.mark.slow
@pytest.mark.parametrize("line", OTHERS, ids=str)
def test_other_programs_take_the_line(line, benchmarks_say):
    """Nothing is installed or computed: make tells what it would do, benchmarks read their options."""
    program, *arguments = line.words
    if program == "make":
        subprocess.run(["make", "--dry-run", *arguments], cwd=ROOT, check=True, capture_output=True)
    elif program == "pip":
        extras = set(re.findall(r"[a-z]+", "".join(re.findall(r"\[(.*?)\]", line.text))))
        wanted = (ROOT / "pyproject.toml").read_text()
        assert all(re.search(rf"^{extra} = \[", wanted, re.MULTILINE) for extra in extras)
        assert "-c constraints.txt" in line.text
    elif program == "sbatch" or arguments[0].startswith("examples/"):
        # Run by tests/test_examples.py.
        assert (ROOT / next(word for word in arguments if word.startswith("examples/"))).is_file()
    elif program == "python":
        assert benchmarks_say[line.text] == "taken"
    elif program == "eval":
        shown = subprocess.run(["bash", "-c", completion_of(line.text)], capture_output=True, text=True, check=True)
        assert "complete" in shown.stdout
    elif program == "rerun":
        pytest.importorskip("rerun")
        done = subprocess.run([Path(sys.executable).parent / "rerun", "--version"], capture_output=True, check=True)
        assert b"rerun" in done.stdout
    else:
        assert line.text in ("densegt --version", "densegt COMMAND --help"), line


def completion_of(text):
    (inner,) = re.findall(r'"\$\((.*)\)"', text)
    bin_folder = Path(sys.executable).parent
    return f'PATH="{bin_folder}:$PATH" {inner}'


# A benchmark's own parser takes them: argparse's from `parser()`, click's from `main`.
READ_OPTIONS = """
import contextlib, importlib, io, json, sys, traceback

def read(module, options):
    if hasattr(module, "parser"):
        module.parser().parse_args(options)
    else:
        module.main.make_context("benchmark", options)

said = {}
for text, (_, name, *options) in json.load(sys.stdin).items():
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as err:
        try:
            read(importlib.import_module(name), options)
            said[text] = "taken"
        except SystemExit as stop:
            said[text] = err.getvalue() if stop.code else "taken"
        except BaseException as error:
            said[text] = "taken" if type(error).__name__ == "Exit" and not error.exit_code else traceback.format_exc()
json.dump(said, sys.stdout)
"""


@pytest.fixture(scope="module")
def benchmarks_say():
    """What became of each line that starts a benchmark. One process for all: to import a benchmark takes seconds."""
    lines = [line for line in OTHERS if line.words[0] == "python" and not line.words[1].startswith("examples/")]
    assert {line.words[1] for line in lines} == {"-m"}
    # A folder and a file that are there, for parsers that look.
    there = {"densegt-demo": str(ROOT), "view.html": str(ROOT / "README.md")}
    asked = {line.text: [there.get(word, word) for word in line.words[1:]] for line in lines}
    command = [sys.executable, "-c", READ_OPTIONS]
    done = subprocess.run(command, cwd=ROOT, input=json.dumps(asked), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_completion_completes():
    """As bash asks for it: the words so far, and which of them is being typed."""
    asked = {"_DENSEGT_COMPLETE": "bash_complete", "COMP_WORDS": "densegt acc", "COMP_CWORD": "1"}
    done = subprocess.run(
        [Path(sys.executable).parent / "densegt"], env={**os.environ, **asked}, capture_output=True, text=True
    )
    assert done.stdout.split() == ["plain,accumulate"]
