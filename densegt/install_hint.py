"""How to get an optional part of densegt, as it was itself installed: from a checkout, a file, or an index."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote, urlparse


def install_command(part: str) -> str:
    """Command line that installs a part, such as `train`, beside the densegt that runs."""
    return f"{_pip()} install {_requirement(part)}"


def _pip() -> str:
    """`pip` where that is this interpreter's own."""
    found = shutil.which("pip")
    own = found is not None and Path(found).parent.resolve() == Path(sys.executable).parent.resolve()
    return "pip" if own else f"{shlex.quote(sys.executable)} -m pip"


def _requirement(part: str) -> str:
    origin = _origin()
    if origin is None:
        return f'"densegt[{part}]"'
    url, editable = origin
    path = Path(unquote(urlparse(url).path)) if url.startswith("file:") else None
    if editable and path is not None:
        return f"-c {shlex.quote(str(path / 'constraints.txt'))} -e {shlex.quote(f'{path}[{part}]')}"
    # The file that densegt came from may be gone; what the part asks for is known without it.
    if path is not None and not path.exists():
        return " ".join(shlex.quote(name) for name in _wanted(part))
    return f'"densegt[{part}] @ {url}"'


def _origin() -> tuple[str, bool] | None:
    """URL that densegt was installed from, and whether as an editable checkout; None for one from an index."""
    try:
        text = metadata.distribution("densegt").read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        return None
    if not text:
        return None
    told = json.loads(text)
    return str(told["url"]), bool(told.get("dir_info", {}).get("editable"))


def _wanted(part: str) -> list[str]:
    """Requirements of a part, those of the parts that it is made of among them."""
    found: list[str] = []
    for text in metadata.requires("densegt") or []:
        requirement, _, marker = text.partition(";")
        if re.search(rf"extra == ['\"]{re.escape(part)}['\"]", marker):
            inner = re.fullmatch(r"densegt\[([\w,-]+)\]", requirement.strip())
            found += [name for p in inner[1].split(",") for name in _wanted(p)] if inner else [requirement.strip()]
    return found
