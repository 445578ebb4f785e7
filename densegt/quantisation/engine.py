"""An ONNX file of `densegt quantise`, run by onnxruntime; torch is not needed."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from densegt.errors import InputError
from densegt.quantisation.missing import require_deploy

METADATA = "densegt"
FORMAT = "densegt-engine"
Arrays = dict[str, NDArray[np.float32]]
# Eight-bit products are fast with the first, right with either; without both they are slow, and clipped at 16 bits.
# Of onnxruntime: rounding stands between float operations, and is not made into operations on whole numbers.
NOT_FUSED = ("session.disable_quant_qdq", "1")
FAST_FLAGS = ("avx512_vnni", "avx_vnni", "asimddp")
SHOWN_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_int8", "asimddp", "i8mm")


class Runs(Protocol):
    """Whatever answers as an engine does."""

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Arrays:
        """Outputs by name."""


class Engine:
    """A model in memory.

    Args:
        exact: compute what whole numbers give in float, as slow as that; without it a processor that has no VNNI clips.

    Attributes:
        facts: what `densegt quantise` wrote into the file.

    Raises:
        InputError: onnxruntime is missing, or the file is damaged or none of `densegt quantise`.
    """

    def __init__(self, path: Path, *, threads: int = 1, exact: bool = False) -> None:
        with require_deploy("engine"):
            import onnxruntime
        if not path.is_file():
            raise InputError(f"{path}: no such engine")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3
        if exact:
            options.add_session_config_entry(*NOT_FUSED)
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # a damaged file may raise anything
            raise InputError(f"{path}: no engine that onnxruntime can open ({_line(error)})") from None
        self.facts = _facts(path, self._session.get_modelmeta().custom_metadata_map)
        self.shapes = {given.name: tuple(given.shape) for given in self._session.get_inputs()}

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Arrays:
        """Outputs by name."""
        names = [output.name for output in self._session.get_outputs()]
        return dict(zip(names, self._session.run(names, dict(inputs)), strict=True))


def _facts(path: Path, entries: Mapping[str, str]) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = json.loads(entries[METADATA])
        if facts["format"] != FORMAT:
            raise KeyError
    except (KeyError, TypeError, ValueError):
        raise InputError(f"{path}: not written by densegt quantise") from None
    if facts["format_version"] > 1:
        raise InputError(f"{path}: written by a later densegt ({facts['densegt_version']}); update densegt")
    return facts


def milliseconds(
    engines: Mapping[str, Runs], inputs: Sequence[Mapping[str, NDArray[Any]]], *, turns: int = 20
) -> dict[str, float]:
    """Median processor time of one keyframe for each engine, taken in turns so that other load meets all of them."""
    times: dict[str, list[float]] = {name: [] for name in engines}
    for turn in range(turns + 1):
        for name, engine in engines.items():
            begun = time.process_time()
            engine.run(inputs[turn % len(inputs)])
            # The first turn finds its memory.
            if turn:
                times[name].append(time.process_time() - begun)
    return {name: 1000 * statistics.median(taken) for name, taken in times.items()}


def cpu_flags() -> tuple[str, ...]:
    """Those of this machine that decide how fast eight bits are; none where the system does not tell."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return ()
    lines = (line for line in text.splitlines() if line.lower().startswith(("flags", "features")))
    there = {word for line in lines for word in line.split()}
    return tuple(flag for flag in SHOWN_FLAGS if flag in there)


def slow_here(flags: Sequence[str]) -> str | None:
    """What is to be said of a processor without instructions for eight-bit products."""
    if not flags or any(flag in flags for flag in FAST_FLAGS):
        return None
    return (
        "this processor has no VNNI: eight bits are about twice as fast here instead of three times or more, and sums "
        "of products that overflow 16 bits are clipped, so that answers are worse; densegt quantise --weight-bits 7 "
        "writes a file in which none does"
    )


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
