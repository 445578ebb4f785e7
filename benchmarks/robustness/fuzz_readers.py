"""Feeds each reader hostile input by the thousand and counts what came of it.

python -m benchmarks.robustness.fuzz_readers --inputs 1000

A reader must give a right answer or one clear line (InputError). Everything else is a failure: another exception, a
process that dies, one that takes more than 20 s, and a wrong answer that is told as right. Inputs are made from a seed
and a number, so `--reader sweep --first 17 --inputs 1` repeats one.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SECONDS = 20.0
OUTCOMES = ("right answer", "clear error", "wrong answer", "other exception", "death", "hang")
FAILURES = OUTCOMES[2:]

# What no field expects.
ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1, 2**31, 2**63, -(2**70), 10**400, 0.5, 1e308, -1e308, 1e-320, math.nan, math.inf, -math.inf,
    "", "x", "..", "../../etc/passwd", "/etc/passwd", "samples/../..", "a\0b", "a\nb", "\ud800", "ä€😀", "x" * 5000,
    [], {}, [[]], [0, 0, 0, 0], [1e200, 0, 0, 0], [math.nan] * 3, [math.inf] * 4, [1, 2], ["1", "2", "3"],
    [[0, 0, 0]] * 3, [[math.nan] * 3] * 3, {"token": "x"},
)  # fmt: skip


class WrongAnswerError(Exception):
    """A reader told nonsense as if it were right."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all, print the tally; 1 where anything failed."""
    options = parser().parse_args(arguments)
    if options.child:
        # That an index was made anew is no news here.
        logging.disable()
        READERS[options.child](options.first, options.inputs, options.seed)
        return 0
    failed = 0
    print(f"| reader | {' | '.join(OUTCOMES)} |\n| --- |{' ---: |' * len(OUTCOMES)}")
    for reader in options.reader or READERS:
        tally = run(reader, options.first, options.inputs, options.seed)
        print(f"| {reader} | {' | '.join(str(tally[o]) for o in OUTCOMES)} |", flush=True)
        failed += sum(tally[o] for o in FAILURES)
    return 1 if failed else 0


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    out = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("--inputs", type=int, default=1000, help="for each reader")
    out.add_argument("--reader", action="append", choices=list(READERS), help="only this one")
    out.add_argument("--first", type=int, default=0, metavar="NUMBER")
    out.add_argument("--seed", type=int, default=0)
    out.add_argument("--child", help=argparse.SUPPRESS)
    return out


def run(reader: str, first: int, inputs: int, seed: int) -> Counter[str]:
    """Feed one reader in a process of its own; where that dies, go on behind the input it died of."""
    tally: Counter[str] = Counter()
    number, end = first, first + inputs
    while number < end:
        command = [sys.executable, __file__, "--child", reader, "--seed", str(seed)]
        command += ["--first", str(number), "--inputs", str(end - number)]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert child.stdout
        for line in child.stdout:
            outcome, _, details = line.rstrip("\n").partition("\t")
            tally[outcome] += 1
            if outcome in FAILURES:
                print(f"{reader} {number}: {outcome}: {details}", file=sys.stderr)
            number += 1
        if child.wait() and number < end:
            outcome = "hang" if child.returncode == -signal.SIGALRM else "death"
            print(f"{reader} {number}: {outcome} (exit {child.returncode})", file=sys.stderr)
            tally[outcome] += 1
            number += 1
    return tally


def judge(work: Callable[[], None]) -> None:
    """Print what comes of one input. The alarm is not caught: it also ends C code that never returns."""
    from densegt.errors import InputError

    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        work()
        said = "right answer"
    except InputError as error:
        words = str(error)
        said = "clear error" if words and "\n" not in words else f"other exception\t{words!r}"
    except WrongAnswerError as error:
        said = f"wrong answer\t{error}"
    except BaseException:
        said = f"other exception\t{traceback.format_exc().splitlines()[-1]!r}"
    signal.setitimer(signal.ITIMER_REAL, 0)
    print(said, flush=True)


# --- damage ---


def damaged_bytes(draw: random.Random, data: bytes) -> bytes:
    """Cut, flipped, overwritten, doubled, moved or replaced."""
    at, length = draw.randrange(len(data) + 1), draw.choice((1, 2, 4, 19, 300, 5000))
    noise = draw.randbytes(length)
    return draw.choice(
        (
            lambda: data[:at],
            lambda: data[at:],
            lambda: data[:at] + noise + data[at + length :],
            lambda: data[:at] + noise + data[at:],
            lambda: data[:at] + data[at + length :],
            lambda: data[:at] + bytes(length) + data[at + length :],
            lambda: data[:at] + bytes([(data + b"\0")[at] ^ (1 << draw.randrange(8))]) + data[at + 1 :],
            lambda: data + data[:at],
            lambda: noise,
            lambda: b"",
        )
    )()


def damaged_rows(draw: random.Random, rows: list[dict[str, Any]]) -> Any:
    """A table with another structure, or with odd values, tokens and links in some rows."""
    if draw.random() < 0.1:
        return draw.choice((None, {}, [], [1], [None], {"rows": rows}, [rows], rows[:1] * 3, [*rows, {}]))
    for _ in range(draw.choice((1, 1, 2, 10))):
        if not rows:
            break
        row = draw.choice(rows)
        name = draw.choice(list(row))
        kind = draw.random()
        if kind < 0.6:
            row[name] = draw.choice(ODD)
        elif kind < 0.7:
            del row[name]
        elif kind < 0.8:
            row[name] = draw.choice(rows).get(name)
        elif kind < 0.9 and "next" in row and "prev" in row:
            row["next"] = row["prev"] = draw.choice(rows).get("token")
        else:
            rows.remove(row)
    return rows


def damaged_table(draw: random.Random, data: bytes) -> bytes:
    """A table's file: its bytes damaged, its rows, or its encoding."""
    kind = draw.random()
    if kind < 0.3:
        return damaged_bytes(draw, data)
    text = json.dumps(damaged_rows(draw, json.loads(data)))
    encoding = draw.choice(("utf-8", "utf-8", "utf-8", "utf-16", "utf-32", "utf-8-sig", "latin-1", "utf-7", "cp037"))
    return text.encode(encoding, errors="replace")


# --- readers ---


def sweeps(first: int, inputs: int, seed: int) -> None:
    """`read_points` beside a loop over the same bytes."""
    from densegt.datasets.float_rows import MAX_RANGE_M
    from densegt.datasets.nuscenes.sweep_file import read_points

    def twin(data: bytes) -> list[tuple[float, ...]]:
        rows = [row for row in struct.iter_unpack("<5f", data) if all(map(math.isfinite, row))]
        return [row for row in rows if all(abs(x) < MAX_RANGE_M for x in row[:3])]

    def work() -> None:
        points = read_points(meta)
        expected = twin(data)
        got = [(*xyz, i) for xyz, i in zip(points.xyz_lidar.tolist(), points.intensity.tolist(), strict=True)]
        if got != [row[:4] for row in expected]:
            raise WrongAnswerError("other points than in the file")
        if sum(row[4] == int(row[4]) and -1 <= row[4] <= 1023 for row in expected) * 2 < len(expected):
            raise WrongAnswerError("most rows have no ring")
        if len(data) >= 2000 and kind == "random":
            raise WrongAnswerError("noise was read as a sweep")

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one.pcd.bin"
        meta = sweep_meta(path)
        for number in range(first, first + inputs):
            draw = random.Random(f"{seed} sweep {number}")
            rows = [(*(draw.uniform(-80, 80) for _ in range(4)), float(k % 32)) for k in range(draw.randrange(300))]
            kind = draw.choice(("bytes", "numbers", "random", "shifted"))
            if kind == "numbers":
                for _ in range(draw.randrange(2 * len(rows) + 1)):
                    k, column = draw.randrange(len(rows)), draw.randrange(5)
                    odd = draw.choice((math.nan, math.inf, -math.inf, 3e38, -3e38, 1e5, 1000.0, 1e-45, -0.0, 999.9))
                    rows[k] = (*rows[k][:column], odd, *rows[k][column + 1 :])
            data = b"".join(struct.pack("<5f", *row) for row in rows)
            if kind == "bytes":
                data = damaged_bytes(draw, data)
            elif kind == "random":
                data = draw.randbytes(20 * draw.randrange(400))
            elif kind == "shifted":
                data = data[4 * draw.randrange(1, 5) :]
                data = data[: len(data) // 20 * 20]
            path.write_bytes(data)
            judge(work)


def sweep_meta(path: Path) -> Any:
    """What says where a sweep lies."""
    import numpy as np

    from densegt.datasets.scene import Sweep

    return Sweep("t", "s", True, path, 0, np.eye(4), np.eye(4))


def tables(first: int, inputs: int, seed: int) -> None:
    """All scenes of a dataset with one damaged table, read directly or through an index."""
    with small_dataset() as (root, folder):
        whole = described(root, None)
        for number in range(first, first + inputs):
            draw = random.Random(f"{seed} tables {number}")
            path = draw.choice(sorted(folder.glob("*.json")))
            data = path.read_bytes()
            new = damaged_table(draw, data)
            path.write_bytes(new)
            index = root / "one.index" if draw.random() < 0.3 else None

            def work(new: bytes = new, data: bytes = data, index: Path | None = index) -> None:
                got = described(root, index)
                if _means(new) == _means(data) and got != whole:
                    raise WrongAnswerError("the same tables, another scene")

            judge(work)
            path.write_bytes(data)


def indices(first: int, inputs: int, seed: int) -> None:
    """An index with damaged bytes must give what the tables give."""
    with small_dataset() as (root, _):
        whole, path = described(root, None), root / "one.index"
        described(root, path)
        data = path.read_bytes()

        def work() -> None:
            if described(root, path) != whole:
                raise WrongAnswerError("another scene than the tables'")

        for number in range(first, first + inputs):
            path.write_bytes(damaged_bytes(random.Random(f"{seed} index {number}"), data))
            judge(work)


def checks(first: int, inputs: int, seed: int) -> None:
    """`densegt check` of a dataset with damaged tables and files: it finds something wherever the reader does."""
    from importlib import import_module

    from click.testing import CliRunner

    from densegt.errors import InputError

    main = import_module("densegt.cli.main")
    with small_dataset() as (root, folder):
        for number in range(first, first + inputs):
            draw = random.Random(f"{seed} check {number}")
            files = [p for part in ("samples", "sweeps") for p in sorted(root.glob(f"{part}/*/*"))]
            path = draw.choice(sorted(folder.glob("*.json")) if draw.random() < 0.8 else files)
            data = path.read_bytes()
            path.write_bytes(damaged_table(draw, data) if path.suffix == ".json" else damaged_bytes(draw, data))

            def work() -> None:
                done = CliRunner().invoke(main.group, ["check", "--dataroot", str(root)], standalone_mode=False)
                if done.exception is not None:
                    raise done.exception
                try:
                    described(root, None)
                except InputError as error:
                    if done.return_value == 0:
                        raise WrongAnswerError(f"no problem, says check; but {error}") from None

            judge(work)
            path.write_bytes(data)


def stores(first: int, inputs: int, seed: int) -> None:
    """Depth stores with damaged bytes, and HDF5 files that are something else."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scene-0001.h5"
        _write_store(path)
        data, whole = path.read_bytes(), _told(path)

        def work(foreign: bool) -> None:
            got = _told(path)
            if not foreign and got != whole:
                raise WrongAnswerError("something else than was written")
            for name, layers in got.items():
                # An image may be lost, or be of another time; not its pixels.
                if name in whole and layers[-1] != whole[name][-1]:
                    raise WrongAnswerError(f"{name}: other pixels than were written")

        for number in range(first, first + inputs):
            draw = random.Random(f"{seed} store {number}")
            path.unlink()
            foreign = draw.random() < 0.3
            damaged = _damaged_heap if draw.random() < 0.2 else damaged_bytes
            path.write_bytes(data if foreign else damaged(draw, data))
            if foreign:
                _make_foreign(path, draw)
            judge(lambda foreign=foreign: work(foreign))


def _write_store(path: Path) -> None:
    """Small images and many, so that most bytes are HDF5's own."""
    import numpy as np

    from densegt.datasets.scene import Camera
    from densegt.depth.store import SceneWriter

    steps = np.random.default_rng(0).integers(0, 65536, (9, 16)).astype(np.uint16)
    K = np.array([[50.0, 0, 8], [0, 50.0, 4], [0, 0, 1]])
    with SceneWriter(path.parent, path.stem, {"made": "to be damaged"}, input_digest="0123abcd") as writer:
        for number in range(24):
            sample, channel = f"s{number // 2}", ("CAM_FRONT", "CAM_BACK")[number % 2]
            name = f"samples/{channel}/{number}.jpg"
            camera = Camera(
                f"d{number}", sample, channel, Path(name), name, 16, 9, 10 + number, K, np.eye(4), np.eye(4)
            )  # fmt: skip
            writer.write_layers(camera, {"depth": steps + number, "source": (steps % 4).astype(np.uint8)})


def _damaged_heap(draw: random.Random, data: bytes) -> bytes:
    """Where HDF5 keeps texts, the one structure without a checksum."""
    start, length = data.index(b"GCOL"), draw.choice((1, 2, 4, 8, 300))
    at = start + draw.choice((draw.randrange(4096), draw.randrange(16), 8 * draw.randrange(512)))
    noise = draw.choice((bytes(length), b"\xff" * length, draw.randbytes(length)))
    return data[:at] + noise + data[at + length :]


def _told(path: Path) -> dict[str, Any]:
    """All that a store says, as it compares by value; last of each image its layers."""
    from densegt.depth.hdf5_file import read_header
    from densegt.depth.store import SceneReader

    told: dict[str, Any] = {"header": (str(read_header(path)), None)}
    for r in SceneReader(path):
        arrays = {"depth": r.depth_m, "source": r.source, **r.layers}
        layers = {name: (str(a.dtype), a.tolist()) for name, a in arrays.items()}
        names = (r.scene, r.sample_data_token, r.filename, r.timestamp_us, r.K.tolist(), r.T_global_cam.tolist())
        told[f"{r.sample_token}/{r.channel}"] = (names, layers)
    return told


def _make_foreign(path: Path, draw: random.Random) -> None:
    """Change a store through h5py into something that looks like one."""
    import h5py
    import numpy as np

    odd = (None, "x", b"\xff", 7, -1, 2**40, math.nan, [1, 2], [[1.0]], np.zeros((0, 3)), ["a", "b"], np.uint8(3))
    with h5py.File(path, "r+") as file:
        image = file["s3/CAM_FRONT"]
        place = draw.choice((file, image))
        what = draw.choice(("attribute", "no attribute", "layer", "no layer", "link", "group"))
        names = list(place.attrs)
        name = draw.choice(names) if names else "format"
        value = draw.choice(odd)
        if what == "attribute":
            place.attrs[name] = h5py.Empty("f") if value is None else value
        elif what == "no attribute":
            place.attrs.pop(name, None)
        elif what in ("layer", "no layer"):
            layer = draw.choice(("depth", "source"))
            del image[layer]
            if what == "layer":
                image[layer] = draw.choice((np.zeros((3, 3)), np.zeros(5, np.uint16), 3, "text", np.zeros((36, 64, 2))))
        elif what == "link":
            target = draw.choice((h5py.SoftLink("/nowhere"), h5py.SoftLink("/s3"), h5py.ExternalLink("no.h5", "/")))
            del file["s3/CAM_FRONT/depth"]
            image["depth"] = target
        else:
            del file["s3"]
            if draw.random() < 0.5:
                file["s3"] = np.arange(3)


READERS: dict[str, Callable[[int, int, int], None]] = {
    "sweep": sweeps,
    "tables": tables,
    "index": indices,
    "check": checks,
    "store": stores,
}


# --- a dataset to damage ---


@contextmanager
def small_dataset() -> Iterator[tuple[Path, Path]]:
    """A simulated dataset in a temporary folder, and its folder of tables."""
    from densegt.simulate.config import SimulateConfig
    from densegt.simulate.run import simulate

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        simulate(SimulateConfig(scenes=1, seconds=0.6, width_px=64, height_px=36, seed=7), root)
        (tables,) = root.glob("v1.0-*")
        yield root, tables


def described(root: Path, index: Path | None) -> list[Any]:
    """Every scene as plain values; nonsense in them is an error."""
    from densegt.datasets.nuscenes import NuScenes

    dataset = NuScenes(root, index=index)
    out = []
    for name in dataset.scene_names:
        scene = dataset.scene(name)
        for path in [s.path for s in scene.sweeps] + [c.image_path for c in scene.cameras]:
            if not os.path.realpath(path).startswith(os.path.realpath(root) + os.sep):
                raise WrongAnswerError(f"{path} is outside")
        for sensor in (*scene.sweeps, *scene.cameras):
            _check_pose(sensor.T_global_ego)
        for track in scene.tracks:
            for T_global_box in track.T_global_box:
                _check_pose(T_global_box)
        stamps = [s.timestamp_us for s in scene.sweeps]
        if stamps != sorted(stamps) or dataset.steps(name) < len(stamps):
            raise WrongAnswerError("sweeps are not in order")
        points = [scene.read_points(s).xyz_lidar.tobytes() for s in scene.sweeps[:2]]
        out.append((name, _plain(scene.sweeps), _plain(scene.cameras), _plain(scene.tracks), points))
    return out


def _check_pose(T: Any) -> None:
    import numpy as np

    if not np.isfinite(T).all() or not np.allclose(T[:3, :3] @ T[:3, :3].T, np.eye(3), atol=1e-6):
        raise WrongAnswerError("a pose that is none")


def _plain(items: Sequence[Any]) -> list[Any]:
    return [[v.tobytes() if hasattr(v, "tobytes") else v for v in vars(item).values()] for item in items]


def _means(data: bytes) -> Any:
    try:
        return repr(json.loads(data))
    except (ValueError, RecursionError):
        return None


if __name__ == "__main__":
    sys.exit(main())
