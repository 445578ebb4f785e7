"""The configuration that a store was made with, to build its cloud again."""

from __future__ import annotations

from densegt.accumulation.config import AccumulateConfig
from densegt.configuration import load_config
from densegt.depth.store import SceneReader
from densegt.errors import InputError


def config_of(reader: SceneReader) -> AccumulateConfig:
    """The configuration that `accumulate` saved in a scene's file; the defaults for a foreign store.

    Raises:
        InputError: it is of another version, with settings that this one does not have.
    """
    saved = reader.config.get("accumulate", {})
    try:
        return load_config(AccumulateConfig, None, saved if isinstance(saved, dict) else {})
    except InputError as error:
        raise InputError(f"{reader.path}: its cloud cannot be made again ({error}); --no-cloud leaves it out") from None
