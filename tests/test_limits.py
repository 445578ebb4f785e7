"""Limits of size: parameters of a function, lines of a module; no module that only forwards; no list of anything."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted(path.relative_to(ROOT) for folder in ("densegt", "cli") for path in (ROOT / folder).rglob("*.py"))
MAX_PARAMETERS, MAX_KERNEL_PARAMETERS = 8, 10
MAX_LINES = 400

EACH = pytest.mark.parametrize("path", MODULES, ids=str)


def tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text())


def functions(node: ast.AST) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, bool]]:
    """Every function, and whether its first parameter is the object or class that it belongs to."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            static = any(ast.unparse(d) == "staticmethod" for d in child.decorator_list)
            yield child, isinstance(node, ast.ClassDef) and not static
        yield from functions(child)


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef, bound: bool) -> int:
    a = function.args
    return len(a.posonlyargs) + len(a.args) + len(a.kwonlyargs) - bound


@EACH
def test_no_function_has_many_parameters(path: Path) -> None:
    over = {}
    for function, bound in functions(tree(path)):
        compiled = any("njit" in ast.unparse(d) for d in function.decorator_list)
        count = parameters(function, bound)
        if count > (MAX_KERNEL_PARAMETERS if compiled else MAX_PARAMETERS):
            over[function.name] = count
    assert not over


@EACH
def test_no_module_is_long(path: Path) -> None:
    assert len((ROOT / path).read_text().splitlines()) <= MAX_LINES


@EACH
def test_no_module_only_forwards(path: Path) -> None:
    """A package's __init__ is where its names are gathered; all else defines something."""
    body = [
        node for node in tree(path).body if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]
    body = [node for node in body if ast.unparse(node) != "from __future__ import annotations"]
    names = [node for node in body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"]
    forwarding = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert path.name in ("__init__.py", "__main__.py") or len(body) > len(forwarding) + len(names)


@EACH
def test_no_list_of_anything(path: Path) -> None:
    assert "list[Any]" not in (ROOT / path).read_text()


def test_the_count_leaves_out_self_but_not_keywords() -> None:
    methods = "class A:\n    def f(self, a, *, b): ...\n    @staticmethod\n    def g(a, /, b): ...\n"
    source = methods + "def h(a, *b, c=1, **d): ..."
    assert [parameters(*found) for found in functions(ast.parse(source))] == [2, 2, 2]
