"""Kills `densegt accumulate` again and again at random times, resumes it, and compares every byte with a quiet run's.

    python -m benchmarks.robustness.kill_and_resume --kills 100 --json kills.json

Each time `kill -9` meets, by lot, the run alone (its workers must notice), one of its workers (the run must go on), or
all of them at once. After each, whatever lies under a final name must be whole and right, and nothing may be left
running. A folder that is complete is emptied, and all begins anew. Linux only: processes are found in /proc.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

from densegt.simulate.config import SimulateConfig
from densegt.simulate.run import simulate

TARGETS = ("the run", "a worker", "all at once")
VANISH_S = 30.0
# Few, so that an undisturbed run takes seconds and kills come at every point of it.
CAMERAS = ("CAM_FRONT", "CAM_BACK")


@dataclass
class Outcome:
    """What came of it; `wrong` lists every file that was not whole and right, `lingering` what did not end in time."""

    kills: Counter[str] = field(default_factory=Counter)
    missed: int = 0
    runs: int = 0
    folders_completed: int = 0
    files_compared: int = 0
    leftovers_seen: int = 0
    slowest_end_s: float = 0.0
    quiet_run_s: float = 0.0
    wrong: list[str] = field(default_factory=list)
    lingering: list[int] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not self.wrong and not self.lingering


class Trial:
    """A world, the bytes of a quiet run over it, and a folder in which runs are disturbed."""

    def __init__(self, folder: Path, world: Path, workers: int, chance: random.Random) -> None:
        self.folder, self.world, self.workers, self.chance = folder, world, workers, chance
        self.outcome = Outcome()
        # The first run compiles kernels, which is not what is timed.
        for name in ("warm", "quiet"):
            began = time.monotonic()
            if self.start(folder / name).wait():
                raise SystemExit("a run that nothing disturbed failed")
            self.outcome.quiet_run_s = time.monotonic() - began
        self.truth = {path.name: path.read_bytes() for path in (folder / "quiet").glob("*.h5")}
        self.compare(folder / "warm")

    def start(self, out: Path) -> subprocess.Popen[bytes]:
        """Begin or resume, as the leader of a process group of its own."""
        options = ["--dataroot", self.world, "--out", out, "--workers", self.workers]
        options += [word for channel in CAMERAS for word in ("--camera", channel)]
        code = "from densegt.cli.main import main\nif __name__ == '__main__': main()"
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        words = [sys.executable, "-c", code, "accumulate", *map(str, options)]
        return subprocess.Popen(words, start_new_session=True, **quiet)

    def compare(self, out: Path, *, complete: bool = True) -> None:
        """Note every file under a final name that is not the quiet run's; once complete, also what else there is."""
        there = {path.name: path.read_bytes() for path in out.glob("*.h5")} if out.exists() else {}
        self.outcome.files_compared += len(there)
        self.outcome.wrong += [f"{out / name}: other bytes" for name, data in there.items() if data != self.truth[name]]
        if complete:
            self.outcome.wrong += [f"{out / name}: missing" for name in self.truth.keys() - there.keys()]
            self.outcome.wrong += [f"{path}: left over" for path in out.glob(".*")]
        elif out.exists():
            self.outcome.leftovers_seen += sum(path.name.endswith(".partial") for path in out.glob(".*"))

    def disturb(self, kills: int, until: float) -> None:
        """Kill so many times or until then, completing a folder whenever a run comes through."""
        out = self.folder / "disturbed-0"
        while self.outcome.kills.total() < kills and time.monotonic() < until:
            run = self.start(out)
            self.outcome.runs += 1
            self._kill(run)
            code = self._ended(run)
            if code == 0:
                out = self._complete(out)
            else:
                self.compare(out, complete=False)
            if code > 0:
                self.outcome.wrong.append(f"{out}: exit code {code}")
        run = self.start(out)
        self.outcome.runs += 1
        if run.wait():
            self.outcome.wrong.append(f"{out}: the last run failed")
        self._complete(out)

    def _kill(self, run: subprocess.Popen[bytes]) -> None:
        try:
            run.wait(self.chance.uniform(0, self.outcome.quiet_run_s))
        except subprocess.TimeoutExpired:
            target = self.chance.choice(TARGETS)
            workers = [pid for pid in group(run.pid) if is_worker(pid)]
            if target == "a worker" and not workers:
                target = "the run"
            self.outcome.kills[target] += 1
            if target == "all at once":
                os.killpg(run.pid, signal.SIGKILL)
            else:
                os.kill(self.chance.choice(workers) if target == "a worker" else run.pid, signal.SIGKILL)
        else:
            self.outcome.missed += 1

    def _ended(self, run: subprocess.Popen[bytes]) -> int:
        """The exit code, once nothing of the run is left."""
        code = run.wait()
        began = time.monotonic()
        while group(run.pid) and time.monotonic() - began < VANISH_S:
            time.sleep(0.02)
        self.outcome.slowest_end_s = max(self.outcome.slowest_end_s, time.monotonic() - began)
        self.outcome.lingering += group(run.pid)
        return code

    def _complete(self, out: Path) -> Path:
        """Compare a folder that should be complete; the name of the next."""
        self.compare(out)
        self.outcome.folders_completed += 1
        return self.folder / f"disturbed-{self.outcome.folders_completed}"


def group(leader: int) -> list[int]:
    """Processes of a group that are alive."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                state, _, group_of = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
            except (OSError, ValueError):
                continue
            if int(group_of) == leader and state != "Z":
                found.append(int(folder.name))
    return found


def is_worker(pid: int) -> bool:
    """Whether a process is one that multiprocessing has spawned for work."""
    try:
        return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def main(arguments: list[str] | None = None) -> Outcome:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=60.0, help="stop killing after so long")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--scenes", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=0.5, help="of each scene")
    parser.add_argument("--json", type=Path, help="write the tally there")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        world = SimulateConfig(scenes=given.scenes, seconds=given.seconds, width_px=160, height_px=90, seed=given.seed)
        simulate(world, folder / "world")
        trial = Trial(folder, folder / "world", given.workers, random.Random(given.seed))
        trial.disturb(given.kills, time.monotonic() + 60 * given.minutes)
    outcome = trial.outcome
    tally = {**asdict(outcome), "kills": dict(outcome.kills), "kills_in_all": outcome.kills.total()}
    print(json.dumps(tally, indent=2))
    if given.json:
        given.json.write_text(json.dumps(tally, indent=2) + "\n")
    return outcome


if __name__ == "__main__":
    sys.exit(0 if main().good else 1)
