"""Arms, and what a benchmark says of them in words."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from densegt.experiments.figures import FIGURES, figures_of
from densegt.experiments.lss_variants import FACTORS, LssVariant, lss_variants
from densegt.experiments.summary import by_variant, comparisons, sentences, table

MIDDLE = LssVariant("dense", "UD", "fixed")


def test_axes_vary_one_thing_at_a_time():
    variants = lss_variants("axes")
    assert variants[0] == MIDDLE
    assert len(variants) == len(set(variants)) == 1 + 3 + 2 + 2
    assert all(sum(variant.differs_only_in(factor, MIDDLE) for factor in FACTORS) == 1 for variant in variants[1:])


def test_full_is_every_combination():
    variants = lss_variants("full")
    assert variants[0] == MIDDLE
    assert len(variants) == len(set(variants)) == 4 * 3 * 3


def test_without_dense_depth_the_sparse_stands_in_the_middle():
    variants = lss_variants("axes", ("none", "sparse"))
    assert variants[0] == LssVariant("sparse", "UD", "fixed")
    assert {variant.supervision for variant in variants} == {"none", "sparse"}


def test_an_arm_does_not_differ_from_itself_or_in_two():
    assert not MIDDLE.differs_only_in("bins", MIDDLE)
    assert not MIDDLE.differs_only_in("bins", LssVariant("dense", "LID", "pdf"))
    assert not MIDDLE.differs_only_in("sampling", LssVariant("dense", "LID", "fixed"))


def results(values):
    """Of each variant and seed: the same value for every figure."""
    return [
        {"variant": variant.name, "seed": seed, "figures": {figure.name: value for figure in FIGURES}}
        for variant, of_seeds in values.items()
        for seed, value in enumerate(of_seeds)
    ]


def said_of(values):
    found = by_variant(results(values), list(values))
    return table(found), comparisons(found), sentences(found, comparisons(found))


def test_a_clear_winner_is_more_than_noise_and_a_close_one_is_not():
    values = {
        MIDDLE: [0.30, 0.32, 0.31],
        LssVariant("none", "UD", "fixed"): [0.10, 0.121, 0.11],
        LssVariant("sparse", "UD", "fixed"): [0.33, 0.29, 0.31],
    }
    rows, compared, said = said_of(values)
    assert [row["vehicle IoU"]["mean"] for row in rows] == pytest.approx([0.31, 0.1103, 0.31], abs=1e-3)
    assert len([c for c in compared if c.figure == "NDS"]) == 3
    [iou] = [s for s in said if s.startswith("vehicle IoU by supervision")]
    assert "(with UD bins and fixed sampling)" in iou
    assert "no more than noise" in iou
    assert "surely ahead of none" in iou
    # Less error is better, so by depth the order is the other way round.
    [depth] = [s for s in said if s.startswith("depth MAE m by supervision")]
    assert "none leads" in depth
    assert ": more than noise" in depth


def test_one_seed_tells_no_noise():
    *_, said = said_of({MIDDLE: [0.3], LssVariant("dense", "LID", "fixed"): [0.4]})
    assert all("one seed cannot tell noise" in sentence for sentence in said)
    assert any("LID leads UD by 0.100" in sentence for sentence in said)


def scores(value):
    """As `Scores.compute` nests them."""
    found = {}
    for figure in FIGURES:
        for path in filter(None, (figure.path, figure.fixed)):
            at = found
            for name in path[:-1]:
                at = at.setdefault(name, {})
            at[path[-1]] = value
    return found


def test_folders_count_by_their_keyframes():
    found, fixed = figures_of([(1, scores(1.0)), (3, scores(2.0)), (7, scores(float("nan")))])
    assert all(value == 1.75 for value in (*found.values(), *fixed.values()))
    assert set(found) == {figure.name for figure in FIGURES}
