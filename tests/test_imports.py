"""Imports point down, each heavy package is imported where it belongs, and only when it is needed."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOWEST = {"geometry", "kernels"}
DATA = LOWEST | {"datasets", "depth", "batch"}
STAGES = {"simulate", "accumulate", "completion", "detection", "report"}

# What each part may import besides itself.
BELOW = {
    "__init__": set(),
    "errors": set(),
    "configuration": {"configs"},
    "batch": LOWEST | {"datasets", "depth", "configuration"},
    "doctor": set(),
    "training": DATA,
    "geometry": set(),
    "kernels": {"geometry"},
    "datasets": LOWEST,
    "depth": LOWEST | {"datasets"},
    # Above the stages: it shows what they make.
    "view": DATA | {"accumulate", "configuration", "report"},
    "experiments": DATA | {"configuration", "detection"},
    "cli": DATA | STAGES | {"configs", "configuration", "doctor", "experiments", "training", "view"},
    "configs": set(),
    **{stage: DATA | {"configuration", "training"} for stage in STAGES},
}
HEAVY = {"cv2", "h5py", "matplotlib", "msgspec", "numba", "nuscenes", "numpy", "open3d", "ray", "rerun", "scipy"} | {
    "torch"
}


def modules():
    """Every module: its dotted name and its file."""
    for package, folder in (("densegt", "densegt"), ("densegt.cli", "cli"), ("densegt.configs", "configs")):
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            yield ".".join((package, *parts)), path


MODULES = list(modules())


def imports(name, tree):
    """Absolute names of all that a module imports, with the import's node."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node
        elif isinstance(node, ast.ImportFrom):
            base = name.split(".")[: -node.level] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            # `from densegt import depth` may name a part; from anywhere deeper the module tells enough.
            for alias in node.names:
                yield f"{module}.{alias.name}" if module in ("densegt", "densegt.cli") else module, node


def late(tree):
    """Nodes inside functions: what they import is imported when they are called."""
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {id(node) for function in functions for node in ast.walk(function)}


def part_of(name):
    return name.split(".")[1]


def importers_of(package):
    return {
        name for name, path in MODULES for target, _ in imports(name, ast.parse(path.read_text()))
        if target.split(".")[0] == package
    }  # fmt: skip


@pytest.mark.parametrize(("name", "path"), MODULES, ids=[name for name, _ in MODULES])
def test_imports_point_down(name, path):
    part = part_of(name)
    assert part in BELOW, f"say in BELOW where {part} stands"
    for target, node in imports(name, ast.parse(path.read_text())):
        if target.startswith("densegt.") and part_of(target) not in (part, "errors", "__version__"):
            assert part_of(target) in BELOW[part], f"{path}:{node.lineno}: {part} imports {target}"


@pytest.mark.parametrize(
    ("package", "parts"),
    [
        ("torch", {"completion", "detection", "training"}),
        ("numba", {"kernels"}),
        ("lightning", {"completion", "detection", "training"}),
    ],
)
def test_only_these_parts_import(package, parts):
    assert {part_of(name) for name in importers_of(package)} <= parts


def test_one_file_knows_hdf5():
    assert importers_of("h5py") == {"densegt.depth.store"}


def test_two_files_know_the_devkit():
    assert importers_of("nuscenes") <= {
        "densegt.datasets.nuscenes.splits", "densegt.detection.scoring.nuscenes_metrics"
    }  # fmt: skip


@pytest.mark.parametrize("package", ["open3d", "nuscenes", "ray", "rerun"])
def test_optional_packages_are_imported_late(package):
    for name, path in MODULES:
        tree = ast.parse(path.read_text())
        inside = late(tree)
        for target, node in imports(name, tree):
            assert target.split(".")[0] != package or id(node) in inside, f"{path}:{node.lineno}"


def test_no_drawer_for_everything():
    assert not [path for _, path in MODULES if path.stem in ("utils", "util", "helpers", "misc", "common")]


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], *([name, "--help"] for name in ("check", "accumulate", "demo"))],
    ids=" ".join,
)
def test_help_answers_without_heavy_imports(arguments):
    code = (
        "import sys, importlib.metadata as m\n"
        "(main,) = m.entry_points(group='console_scripts', name='densegt')\n"
        f"sys.argv = ['densegt', *{arguments}]\n"
        "try:\n    main.load()()\nexcept SystemExit as stop:\n    assert not stop.code, stop.code\n"
        "print('LOADED', *{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split()[1:])
    assert "click" in loaded
    assert not loaded & HEAVY
