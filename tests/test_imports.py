"""Imports point down and never in a circle; each heavy package is imported where it belongs, and only when needed."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOWEST = {"errors", "geometry", "install_hint", "kernels", "shipped_configs", "strict_yaml", "suggestion"}
DATA = LOWEST | {"configuration", "datasets", "depth"}
JOBS = DATA | {"batch"}
STAGES = {
    "simulate", "accumulation", "occupancy", "autolabel", "completion", "detection", "motion_net", "quantisation",
    "shapes",
}  # fmt: skip
SHOWN = {"experiments", "report", "view"}

# What each room may import besides itself.
BELOW = {
    # The public names, each imported when it is asked for.
    "__init__": {"accumulation", "datasets", "depth", "detection", "errors", "interface"},
    "errors": set(),
    "configs": set(),
    "install_hint": set(),
    "shipped_configs": set(),
    "suggestion": set(),
    "strict_yaml": {"errors"},
    "configuration": {"errors", "configs", "shipped_configs", "strict_yaml", "suggestion"},
    "doctor": {"errors", "install_hint", "kernels"},
    "training": JOBS,
    "geometry": {"errors"},
    "kernels": {"errors", "geometry"},
    "datasets": LOWEST | {"configuration"},
    "depth": LOWEST | {"datasets"},
    "batch": DATA,
    "accumulation": JOBS,
    "simulate": JOBS,
    "shapes": {"depth", "errors"},
    # The classes of points are those of motion votes.
    "occupancy": JOBS | {"accumulation", "motion_net", "simulate"},
    "autolabel": JOBS | {"accumulation", "shapes"},
    "completion": JOBS | {"training"},
    "detection": JOBS | {"shapes", "training"},
    # Votes beside free space: of the same scans, by the same clocks and beams.
    "motion_net": JOBS | {"accumulation", "training"},
    "quantisation": JOBS | {"detection", "training"},
    "experiments": JOBS | STAGES,
    "report": JOBS,
    # Shows what accumulation and labels make, in the report's style.
    "view": JOBS | {"accumulation", "report", "occupancy", "autolabel", "shapes"},
    "interface": JOBS | STAGES,
    "cli": JOBS | STAGES | SHOWN | {"configs", "doctor", "interface", "training"},
}
HEAVY = {
    "cv2", "h5py", "lightning", "matplotlib", "msgspec", "numba", "nuscenes", "numpy", "onnx", "onnxruntime",
    "onnxscript", "open3d", "pyarrow", "ray", "rerun", "scipy", "torch",
}  # fmt: skip


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def modules() -> Iterator[tuple[str, Path]]:
    """Every module: its dotted name (a package's ends in __init__) and its file."""
    for package, folder in (("densegt", "densegt"), ("densegt.cli", "cli"), ("densegt.configs", "configs")):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield ".".join((package, *path.relative_to(ROOT / folder).with_suffix("").parts)), path


MODULES = dict(modules())


def module_of(base: str, name: str) -> str:
    """The module that `from base import name` runs, `name` being a module of base or a name in it."""
    for module in (f"{base}.{name}", f"{base}.{name}.__init__", base, f"{base}.__init__"):
        if module in MODULES:
            return module
    return base


@cache
def imports(name: str) -> list[tuple[str, int]]:
    """All modules that a module imports."""
    return list(imports_in(name, parsed(MODULES[name])))


def imports_in(name: str, within: ast.AST) -> Iterator[tuple[str, int]]:
    """Modules that a module imports, with the line; those of densegt as in MODULES."""
    for node in ast.walk(within):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield module_of(alias.name, "__init__"), node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = name.split(".")[: -node.level] if node.level else []
            for alias in node.names:
                yield module_of(".".join([*base, *([node.module] if node.module else [])]), alias.name), node.lineno


def at_load(name: str, path: Path) -> Iterator[tuple[str, int]]:
    """Imports that run when the module is loaded: neither inside functions nor for types alone."""

    def keep(node: ast.AST) -> Iterator[ast.AST]:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for_types = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
            for child in getattr(node, "orelse", []) if for_types else ast.iter_child_nodes(node):
                yield from keep(child)

    for node in keep(parsed(path)):
        yield from imports_in(name, node)


def room_of(name: str) -> str:
    return name.split(".")[1]


def importers_of(package: str) -> set[str]:
    """Modules outside a package (or third-party one) that import it."""
    inside = f"{package}."
    return {
        name for name in MODULES if not name.startswith(inside)
        and any(f"{target}.".startswith(inside) for target, _ in imports(name))
    }  # fmt: skip


def circles(graph: dict[str, set[str]]) -> list[set[str]]:
    """Strongly connected components of more than one node, or of one that points to itself (Tarjan's algorithm)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found = []

    def visit(node: str) -> None:
        order[node] = low[node] = len(order)
        stack.append(node)
        for target in graph[node]:
            if target not in order:
                visit(target)
            if target in stack:
                low[node] = min(low[node], low[target])
        if low[node] == order[node]:
            component = set(stack[stack.index(node) :])
            del stack[stack.index(node) :]
            if len(component) > 1 or node in graph[node]:
                found.append(component)

    for node in graph:
        if node not in order:
            visit(node)
    return found


def test_imports_point_down() -> None:
    assert not {room_of(name) for name in MODULES} - BELOW.keys(), "say in BELOW where these stand"
    up = []
    for name, path in MODULES.items():
        room = room_of(name)
        for target, line in imports(name):
            # `import densegt` is for the version.
            if target.startswith("densegt.") and room_of(target) not in (room, "__init__", *BELOW[room]):
                up.append(f"{path}:{line}: {room} imports {target}")
    assert not up


def test_rooms_stand_above_one_another() -> None:
    assert not circles(BELOW)


def test_no_import_goes_in_a_circle() -> None:
    graph = {name: {t for t, _ in at_load(name, path) if t in MODULES} for name, path in MODULES.items()}
    # Each of `densegt`'s names is imported late, and what lies below asks it for the version alone.
    assert not circles(graph)


def test_circles_are_found() -> None:
    graph = {"a": {"b"}, "b": {"c", "d"}, "c": {"a"}, "d": {"d"}, "e": {"a", "b"}, "f": set()}
    assert sorted(map(sorted, circles(graph))) == [["a", "b", "c"], ["d"]]


def test_imports_for_types_and_in_functions_are_not_at_load(tmp_path: Path) -> None:
    path = tmp_path / "shown.py"
    path.write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a\nelse:\n    import b\n"
        "try:\n    import c\nexcept ImportError:\n    import d\nclass C:\n    import e\ndef f():\n    import g\n"
    )
    assert [name for name, _ in at_load("shown", path)] == ["typing", "b", "c", "d", "e"]


@pytest.mark.parametrize(
    ("package", "rooms"),
    [
        (
            "torch",
            {"autolabel", "completion", "detection", "motion_net", "occupancy", "quantisation", "shapes", "training"},
        ),
        ("lightning", {"completion", "detection", "motion_net", "training"}),
        ("numba", {"kernels"}),
    ],
)
def test_only_these_rooms_import(package: str, rooms: set[str]) -> None:
    assert {room_of(name) for name in importers_of(package)} <= rooms


def test_nothing_outside_its_folder_imports_nuscenes() -> None:
    """`densegt.datasets` opens every format by its name."""
    assert not importers_of("densegt.datasets.nuscenes")


def test_one_file_knows_hdf5() -> None:
    assert importers_of("h5py") == {"densegt.depth.hdf5_file"}


def test_two_files_know_the_devkit() -> None:
    """Its official splits, and its official score."""
    wanted = {"densegt.datasets.nuscenes.splits", "densegt.detection.scoring.nuscenes_metrics"}
    assert importers_of("nuscenes") == wanted


@pytest.mark.parametrize(
    "package", ["nuscenes", "onnx", "onnxruntime", "onnxscript", "open3d", "pyarrow", "ray", "rerun"]
)
def test_optional_packages_are_imported_late(package: str) -> None:
    for name, path in MODULES.items():
        for target, line in at_load(name, path):
            assert target.split(".")[0] != package, f"{path}:{line}"


def test_no_drawer_for_everything() -> None:
    assert not [path for path in MODULES.values() if path.stem in ("utils", "util", "helpers", "misc", "common")]


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], *([name, "--help"] for name in ("check", "accumulate", "demo"))],
    ids=" ".join,
)
def test_help_answers_without_heavy_imports(arguments: list[str]) -> None:
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


def test_the_package_is_imported_in_a_moment() -> None:
    """Within a tenth of a second, the best of three: other programs may be running."""
    code = (
        "import sys, time\nbefore, start = set(sys.modules), time.perf_counter()\nimport densegt\n"
        "print(time.perf_counter() - start, *{name.split('.')[0] for name in set(sys.modules) - before})"
    )
    runs = [subprocess.check_output([sys.executable, "-c", code], text=True).split() for _ in range(3)]
    assert min(float(seconds) for seconds, *_ in runs) < 0.1
    assert not set(runs[0][1:]) & HEAVY
