"""What the README shows works."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
SNIPPETS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_reading_a_store_with_plain_h5py(tiny_dataset, monkeypatch, tmp_path):
    snippet = next(code for code in SNIPPETS if "h5py" in code)
    (tmp_path / "depth").symlink_to(tiny_dataset / "exact")
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(snippet, names)
    assert names["depth_m"].shape == names["source"].shape == (90, 160)
    assert 1 < np.median(names["depth_m"]) < 200
    assert names["K"].shape == (3, 3)
    assert names["T_global_cam"].shape == (4, 4)


def test_the_python_interface(whole_line, monkeypatch, tmp_path, capsys):
    (tmp_path / "world").symlink_to(whole_line / "world")
    monkeypatch.chdir(tmp_path)
    exec(next(code for code in SNIPPETS if "densegt.accumulate" in code), {})
    assert len(capsys.readouterr().out.splitlines()) == 6 * len({p.parent for p in tmp_path.glob("depth/*.h5")}) * 2


def test_named_files_and_targets_are_there():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = README + (ROOT / "CONTRIBUTING.md").read_text()
    assert set(re.findall(r"(?:^ {4}|`)make ([a-z]+)", text, re.MULTILINE)) <= targets
    for link in re.findall(r"\]\(([^)]+)\)", text):
        assert link.startswith("https://") or (ROOT / link).exists(), link


def test_options_in_the_examples_exist():
    used = {}
    for line in re.findall(r"^    densegt (.+)$", README, re.MULTILINE):
        name, *rest = line.split("#")[0].split()
        used.setdefault(name, set()).update(word for word in rest if word.startswith("--"))
    assert used
    for name, options in used.items():
        code = f"from densegt.cli.main import group; group(['{name}', '--help'])"
        shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        assert options <= set(re.findall(r"--[a-z-]+", shown)), name
