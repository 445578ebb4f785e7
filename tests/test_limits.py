"""Limits of size: parameters of a function, lines of a module; no module that only forwards; no list of anything."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
MODULES = sorted(path.relative_to(ROOT) for folder in ("densegt", "cli") for path in (ROOT / folder).rglob("*.py"))
MAX_PARAMETERS, MAX_KERNEL_PARAMETERS = 8, 10
MAX_LINES = 400


@cache
def text(path: Path) -> str:
    return (ROOT / path).read_text()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(text(path))


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


def test_no_function_has_many_parameters() -> None:
    over = {}
    for path in MODULES:
        for function, bound in functions(tree(path)):
            compiled = any("njit" in ast.unparse(d) for d in function.decorator_list)
            count = parameters(function, bound)
            if count > (MAX_KERNEL_PARAMETERS if compiled else MAX_PARAMETERS):
                over[f"{path}:{function.lineno}: {function.name}"] = count
    assert not over


def test_no_module_is_long() -> None:
    lines = {str(path): len(text(path).splitlines()) for path in MODULES}
    assert not {path: count for path, count in lines.items() if count > MAX_LINES}


def only_forwards(path: Path) -> bool:
    body = [
        node for node in tree(path).body if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]
    body = [node for node in body if ast.unparse(node) != "from __future__ import annotations"]
    names = [node for node in body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"]
    forwarding = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    return len(body) <= len(forwarding) + len(names)


def test_no_module_only_forwards() -> None:
    """A package's __init__ is where its names are gathered; all else defines something."""
    mine = [path for path in MODULES if path.name not in ("__init__.py", "__main__.py")]
    assert not [str(path) for path in mine if only_forwards(path)]


def test_no_list_of_anything() -> None:
    assert not [str(path) for path in MODULES if "list[Any]" in text(path)]


def test_the_count_leaves_out_self_but_not_keywords() -> None:
    methods = "class A:\n    def f(self, a, *, b): ...\n    @staticmethod\n    def g(a, /, b): ...\n"
    source = methods + "def h(a, *b, c=1, **d): ..."
    assert [parameters(*found) for found in functions(ast.parse(source))] == [2, 2, 2]
