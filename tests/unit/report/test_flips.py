from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compat_eval.core.errors import UsageError
from compat_eval.report.flips import CELLS, Cell, flips
from compat_eval.report.results import read_results
from compat_eval.report.tally import (
    examples_said,
    in_parts,
    tally,
    tally_of,
    units_said,
)
from tests.unit.comparison.parsed import NEW, OLD, parsed
from tests.unit.report.made_run import Row, made_run, varied_rows
from tests.unit.report.parsed_run import parsed_run, sentences

ROWS = (
    Row(id="kept", text="k", gold="a", old="a", new="a"),
    Row(id="broke", text="b one", gold="a", old="a", new="b", new_score=0.4),
    Row(
        id="broke-surely",
        text="b two",
        gold="c",
        old="c",
        new="b",
        new_score=0.9,
        slices={"domain": "bank"},
    ),
    Row(id="fixed", text="f", gold="a", old="b", new="a", slices={"domain": "home"}),
    Row(id="missed", text="m", gold="a", old="b", new="c"),
    Row(
        id="tossed",
        text="t",
        gold="a",
        old="a",
        new="b",
        new_score=0.99,
        old_margin=0.01,
        new_margin=0.02,
    ),
)


def ids(**task: object) -> list[str]:
    return [
        flip.id for flip in flips(read_results(made_run(ROWS, task=task)), "example")
    ]


def test_broken_first_then_the_surer_the_earlier() -> None:
    assert ids() == ["tossed", "broke-surely", "broke", "fixed"]


@pytest.mark.parametrize(
    ("broken", "fixed", "listed"),
    [
        (60, 80, (10, 10)),  # both cells are larger than half of the room
        (60, 4, (16, 4)),  # what one cell leaves free, the other takes
        (3, 80, (3, 17)),
        (12, 8, (12, 8)),
    ],
    ids=str,
)
def test_a_list_that_is_cut_holds_flips_of_both_cells(
    broken: int, fixed: int, listed: tuple[int, int]
) -> None:
    run = made_run(varied_rows(300, broken=broken, fixed=fixed, missed=20))
    results = read_results(run)
    every = [flip.id for flip in flips(results, "example")]

    some = flips(results, "example", most=20)

    cells = [flip.cell for flip in some]
    assert cells == ["broken"] * listed[0] + ["fixed"] * listed[1]
    ranks = [every.index(flip.id) for flip in some]
    assert ranks == sorted(set(ranks))
    assert ranks[:2] == [0, 1]  # what hurts most is listed,
    assert ranks[listed[0] - 1] == broken - 1  # and the rest is not forgotten


def test_flips_within_the_noise_come_after_the_others() -> None:
    noise = {"flips": 1, "examples": 6, "margin_envelope": 0.02}

    assert ids(noise=noise) == ["broke-surely", "broke", "tossed", "fixed"]


def test_an_unknown_level_is_an_error_that_names_those_there_are() -> None:
    with pytest.raises(UsageError, match="no level 'las'; it has example"):
        flips(read_results(made_run(ROWS)), "las")


def test_an_example_that_one_side_lacks_counts_as_broken() -> None:
    run = made_run(ROWS)
    absent = pa.array([row.id == "missed" for row in ROWS])
    run = type(run)(
        path=Path("run"),
        comparison=run.comparison,
        manifest=run.manifest,
        examples=run.examples,
        answers={
            **run.answers,
            "new": run.answers["new"].with_column("missing", absent),
        },
    )

    found = {flip.id: flip.cell for flip in flips(read_results(run), "example")}

    assert found["missed"] == "broken"


def test_any_broken_word_makes_a_sentence_broken_and_listed_once_among_them() -> None:
    mixed = parsed(new=[NEW[0], OLD[1]], old=[OLD[0], OLD[1]])

    (only,) = flips(read_results(parsed_run(of=mixed)), "las")

    assert (only.cell, only.broken, only.fixed) == ("broken", 2, 1)
    assert only.cells == ("broken", "fixed")


def test_one_broken_word_outweighs_any_number_of_fixed_ones() -> None:
    more_fixed = parsed(
        old=[([2, 0, 1, 1, 1, 2], OLD[0][1]), OLD[1]],
        new=[([2, 0, 5, 5, 2, 2], ["obj", *NEW[0][1][1:]]), NEW[1]],
    )
    run = parsed_run(of=more_fixed)

    results = read_results(run)
    found = flips(results, "las")

    assert [(f.id, f.cell, f.broken, f.fixed) for f in found] == [
        ("s1", "broken", 1, 3),
        ("s2", "fixed", 0, 2),
    ]
    asked: tuple[tuple[Cell, list[str]], ...]
    asked = ("broken", ["s1"]), ("fixed", ["s1", "s2"])
    for cell, expected in asked:
        fits = flips(results, "las", cells=[cell])
        assert [flip.id for flip in fits] == expected


@given(seed=st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_every_sentence_with_a_broken_word_is_among_the_broken(seed: int) -> None:
    pairing = sentences(8, size=4, seed=seed)
    run = parsed_run(of=pairing)
    expected = dict.fromkeys(("broken", "fixed"), 0)
    both = 0
    for gold, old, new in zip(
        *(
            side.to_pylist()
            for side in (
                pairing.examples.column("gold"),
                pairing.old.column("prediction"),
                pairing.new.column("prediction"),
            )
        ),
        strict=True,
    ):
        rights = [
            [
                (a, b) == (c, d)
                for a, b, c, d in zip(
                    gold["heads"],
                    gold["deprels"],
                    side["heads"],
                    side["deprels"],
                    strict=True,
                )
            ]
            for side in (old, new)
        ]
        words = list(zip(*rights, strict=True))
        expected["broken"] += (True, False) in words
        expected["fixed"] += (False, True) in words
        both += (True, False) in words and (False, True) in words

    results = read_results(run)
    found = flips(results, "las")

    assert len(flips(results, "las", cells=["broken"])) == expected["broken"]
    assert len(flips(results, "las", cells=["fixed"])) == expected["fixed"]
    for counts in (tally(results, "las"), tally_of(found)):
        assert (counts.broken, counts.fixed) == tuple(expected.values())
        assert counts.both == both
    assert len({flip.id for flip in found}) == tally(results, "las").examples


def test_the_counts_name_their_unit() -> None:
    results = read_results(parsed_run())

    said = examples_said(
        tally(results, "las"), results.level("las"), parts=in_parts(results.task, "las")
    )
    whole = examples_said(
        tally(results, "ucm"), results.level("ucm"), parts=in_parts(results.task, "ucm")
    )

    assert said == ("1 sentence with broken words and 2 with fixed words; 1 with both")
    assert whole == "1 sentence broken and 1 fixed"
    assert [units_said(flip) for flip in flips(results, "las")] == [
        "2 words broken, 1 fixed",
        "2 words fixed",
    ]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["kept"], ["kept"]),
        (["missed"], ["missed"]),
        (CELLS, ["tossed", "broke-surely", "broke", "fixed", "kept", "missed"]),
    ],
    ids=["kept", "missed", "all"],
)
def test_examples_that_did_not_flip_are_asked_for(
    cells: Sequence[Cell], expected: list[str]
) -> None:
    found = flips(read_results(made_run(ROWS)), "example", cells=cells)

    assert [one.id for one in found] == expected
    judged = {one.id: (one.word, one.old.right, one.new.right) for one in found}
    assert judged.get("kept", ("kept", True, True)) == ("kept", True, True)
    assert judged.get("missed", ("missed", False, False)) == ("missed", False, False)


def test_a_sample_is_the_same_for_the_same_run_and_stands_in_order() -> None:
    run = made_run(varied_rows(300, broken=3, fixed=4, missed=20))

    first, second = (
        [
            one.row
            for one in flips(
                read_results(run), "example", cells=["kept", "missed"], sampled=10
            )
        ]
        for _ in range(2)
    )

    assert first == second
    assert len(first) == 20
    assert first[:10] == sorted(first[:10])


def test_a_sentence_is_kept_only_where_every_word_is_right() -> None:
    results = read_results(parsed_run())

    found = flips(results, "las", cells=["kept", "missed"])

    assert [one.cell for one in found if one.old.right] == [
        "kept" for one in found if one.new.right
    ]
