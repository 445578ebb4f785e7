"""Progress of a run in words, and the command that is offered after it."""

import shlex

import click
import pytest
from densegt.cli import progress
from densegt.cli.accumulate import command
from densegt.cli.rerun_command import rerun_command

from densegt.batch.progress import RunProgress


def run_progress(**done):
    whole = {"scenes_done": 0, "scenes": 10, "keyframes_done": 0, "keyframes": 400, "steps_done": 0, "steps": 6000}
    return RunProgress(**{**whole, **done})


def test_in_words():
    assert progress.in_words(run_progress(), 0.0) == "0/10 scenes, 0/400 keyframes"
    some = run_progress(scenes_done=2, keyframes_done=100, steps_done=1500)
    assert progress.in_words(some, 1250.0) == "2/10 scenes, 100/400 keyframes, 0.08 keyframes/s, 1:02:30 left"
    # All sweeps of one scene are read, which is little of the work.
    read = run_progress(scenes=1, keyframes=40, steps=640, steps_done=400)
    assert progress.in_words(read, 60.0) == "0/1 scenes, 0/40 keyframes, 0:04:06 left"
    whole = run_progress(scenes_done=10, keyframes_done=400, steps_done=6000)
    assert progress.in_words(whole, 100.0).endswith("0:00:00 left")


def test_a_log_gets_a_line_now_and_then():
    now, said = [100.0], []
    show = progress.log_lines(lambda line: said.append((now[0], line)), clock=lambda: now[0])
    for now[0] in range(100, 200):
        show(run_progress(steps_done=int(now[0])))
    assert [at for at, _ in said] == [130, 160, 190]
    assert all(line.startswith("densegt: 0/10 scenes, ") for _, line in said)


@pytest.mark.parametrize(
    "words",
    [
        "--dataroot '/data/my scenes' --out depth",
        "--dataroot d --out o --camera A --camera B --motion free --no-surface --window 2.5 --workers 3",
        "--dataroot d --out o --version v1.0-mini --window scene --surface --config c.yaml --overwrite",
    ],
)
def test_the_same_command_for_other_scenes(words):
    with click.Context(command):
        ctx = command.make_context("accumulate", shlex.split(words + " --scene was"))
    offered = shlex.split(rerun_command(ctx, scenes=["one", "two scenes"]))
    assert offered[:2] == ["densegt", "accumulate"]
    assert offered[-4:] == ["--scene", "one", "--scene", "two scenes"]
    assert "was" not in offered
    repeated = command.make_context("accumulate", offered[2:])
    assert {**repeated.params, "scenes": ()} == {**ctx.params, "scenes": ()}
