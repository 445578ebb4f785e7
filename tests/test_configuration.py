"""YAML that is damaged, hostile or mistyped: one line that names the file."""

import time

import pytest
from click.testing import CliRunner
from densegt.cli.main import group
from pydantic import BaseModel, ConfigDict

from densegt.configuration import load_config, overridden, read_yaml
from densegt.errors import InputError


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid")

    bins: int = 4
    kind: str | None = None


class Whole(BaseModel):
    model_config = ConfigDict(extra="forbid")

    motion: str = "auto"
    window_s: float | None = None
    model: Model | None = Model()


def laughs(rows):
    """Each row is a list of nine times the one before."""
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for one, other in zip("bcdefghij"[:rows], "abcdefghi", strict=False):
        lines.append(f"{one}: &{one} [" + ", ".join([f"*{other}"] * 9) + "]")
    return "\n".join(lines).encode()


HOSTILE = {
    "latin-1": ("motion: fr\u00e9e\n".encode("latin-1"), "line 1 is not UTF-8"),
    "latin-1 further down": ("motion: auto\n# \u00fcber\n".encode("latin-1"), "line 2 is not UTF-8"),
    "UTF-16": ("motion: auto\n".encode("utf-16"), "not UTF-8"),
    "UTF-16 without a mark": ("motion: auto\n".encode("utf-16-le"), "control character"),
    "UTF-32": ("motion: auto\n".encode("utf-32"), "not UTF-8"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "not UTF-8"),
    "date": (b"motion: 2020-99-99T99:99:99\n", "month must be in 1..12"),
    "day": (b"motion: 2021-02-30\n", "day is out of range"),
    "date that is one": (b"motion: 2021-02-03\n", "a text is wanted"),
    "digits": (b"window_s: " + b"9" * 100_000, "digits"),
    "fewer digits": (b"window_s: " + b"9" * 4000, "window_s"),
    "hexadecimal digits": (b"window_s: 0x" + b"f" * 100_000, "window_s"),
    "deep": (b"motion: " + b"[" * 20_000 + b"]" * 20_000, "nested too deeply"),
    "deep mappings": (b"motion: " + b"{a: " * 5_000 + b"}" * 5_000, "nested too deeply"),
    "deep enough": (b"motion: " + b"[" * 100 + b"]" * 100, "a list of 1"),
    "laughs": (laughs(9) + b"\nmotion: *g", "too many values"),
    "few laughs": (laughs(2) + b"\nmotion: *b", "a: &a"[:1]),
    "endless": (b"motion: &a [*a]", "contains itself"),
    "endless mapping": (b"motion: &a {b: {c: *a}}", "contains itself"),
    "twice": (b"motion: none\nmotion: auto\n", "line 2: 'motion' stands there twice"),
    "twice below": (b"model: {bins: 1, bins: 2}", "'bins' stands there twice"),
    "long": (b"motion: " + b"x" * (1 << 19), "KiB"),
    "long word": (b"window_s: " + b"x" * 10_000, "window_s"),
    "long key": (b"x" * 1_000 + b": 1", "no such key"),
    "keys that are none": (b"1: 2", "keys are names"),
    "key that is a list": (b"? [a]\n: 1", "unhashable"),
    "list": (b"- motion", "a mapping of keys"),
    "word": (b"motion", "a mapping of keys"),
    "two documents": (b"motion: a\n---\nmotion: b", "another document"),
    "tab": (b"model:\n\tbins: 1", "line 2"),
    "bracket": (b"model: {bins: 1", "line 1"),
    "object": (b"motion: !!python/object/apply:os.system [ls]", "could not determine a constructor"),
    "NUL": (b"motion: a\0b", "control character"),
}


@pytest.mark.parametrize(("content", "says"), HOSTILE.values(), ids=HOSTILE)
def test_one_short_line_that_names_the_file(tmp_path, content, says):
    path = tmp_path / "own.yaml"
    path.write_bytes(content)
    began_s = time.process_time()
    with pytest.raises(InputError) as caught:
        load_config(Whole, str(path), {})
    said = str(caught.value)
    assert time.process_time() - began_s < 5
    assert said.startswith(f"{path}: ")
    assert says in said
    assert "\n" not in said
    assert said.isprintable()
    assert len(said) - len(str(path)) < 350


@pytest.mark.parametrize("name", ["latin-1", "date", "digits", "deep", "laughs", "twice"])
def test_a_command_says_it_and_ends_with_two(tmp_path, name, capfd):
    (tmp_path / "own.yaml").write_bytes(HOSTILE[name][0])
    words = ["accumulate", "--dataroot", tmp_path, "--out", tmp_path / "out", "--config", tmp_path / "own.yaml"]
    result = CliRunner().invoke(group, [str(word) for word in words])
    assert isinstance(result.exception, InputError)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("windw_s: 3", "no such key: windw_s; did you mean window_s?"),
        ("model: {bin: 3}", "no such key: model.bin; did you mean bins?"),
        ("Motion: auto", "no such key: Motion; did you mean motion?"),
        ("zebra: 1", "no such key: zebra; known are motion, window_s, model"),
        ("model: {zebra: 1}", "no such key: model.zebra; known are bins, kind"),
    ],
)
def test_an_unknown_key_gets_a_suggestion(tmp_path, content, says):
    path = tmp_path / "own.yaml"
    path.write_text(content)
    with pytest.raises(InputError, match=r"own\.yaml: ") as caught:
        load_config(Whole, str(path), {})
    assert says in str(caught.value)


def test_overriding_says_what_is_unknown():
    with pytest.raises(InputError, match=r"options: no such key: model\.bin; did you mean bins"):
        overridden(Whole(), {"model": {"bin": 3}})


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (b"", {}),
        (b"# nothing\n", {}),
        (b"\xef\xbb\xbfmotion: none\n", {"motion": "none"}),
        (b"motion: none\r\nwindow_s: 2\r\n", {"motion": "none", "window_s": 2}),
        (b"base: &b {bins: 3}\nmodel: {<<: *b, kind: LID}", {"base": {"bins": 3}, "model": {"bins": 3, "kind": "LID"}}),
        ("motion: \u5bc6".encode(), {"motion": "\u5bc6"}),
    ],
)
def test_yaml_that_is_sound(tmp_path, content, wanted):
    (tmp_path / "own.yaml").write_bytes(content)
    assert read_yaml(str(tmp_path / "own.yaml")) == wanted


@pytest.mark.parametrize("name", ["nowhere.yaml", "../pyproject", "/dev/null/x", "x" * 300, "a\0b"])
def test_no_such_file(name):
    with pytest.raises(InputError, match="no such configuration file"):
        read_yaml(name)
