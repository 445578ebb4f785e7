"""What is learned from, and what is held out to see what was learned."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from densegt.completion.examples import ExampleKey
from densegt.errors import InputError


@dataclass(frozen=True)
class ExampleSplit:
    """Images of two kinds, in order."""

    learned: list[ExampleKey]
    held_out: list[ExampleKey]


def split(keys: Sequence[ExampleKey], share: float) -> ExampleSplit:
    """Hold out the last scenes, or of a lone scene the last keyframes: no place at one time is on both sides.

    Raises:
        InputError: too little to hold anything out.
    """
    groups: list[Hashable] = [(key.sources, key.scene) for key in keys]
    if len(set(groups)) == 1:
        groups = [key.sample_token for key in keys]
    in_order = list(dict.fromkeys(groups))
    if len(in_order) < 2:
        raise InputError(f"{keys[0].sources.depth}: a single keyframe; nothing can be held out for validation")
    count = min(len(in_order) - 1, max(1, round(share * len(in_order))))
    last = set(in_order[-count:])
    return ExampleSplit(
        [key for key, group in zip(keys, groups, strict=True) if group not in last],
        [key for key, group in zip(keys, groups, strict=True) if group in last],
    )
