"""The package itself, for Python that is started beside a checkout of the name densegt.

There `import densegt` finds this folder before the installed package. Without this file it would be an empty package.
"""

from pathlib import Path

__path__ = [str(Path(__file__).parent / "densegt")]
_inside = Path(__path__[0]) / "__init__.py"
exec(compile(_inside.read_text(encoding="utf-8"), str(_inside), "exec"))
