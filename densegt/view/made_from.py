"""How a store was made, as far as its cloud can be made again."""

from __future__ import annotations

from densegt.accumulate.config import AccumulateConfig
from densegt.configuration import load_config
from densegt.depth.store import SceneReader
from densegt.errors import InputError


def config_of(reader: SceneReader) -> AccumulateConfig:
    """The configuration that `accumulate` noted in a scene's file; the defaults where it is from somebody else.

    Raises:
        InputError: another version's, with settings that this one does not have.
    """
    noted = reader.config.get("accumulate", {})
    try:
        return load_config(AccumulateConfig, None, noted if isinstance(noted, dict) else {})
    except InputError as error:
        raise InputError(f"{reader.path}: its cloud cannot be made again ({error}); --no-cloud leaves it out") from None
