from compat_eval.report.choices import (
    cell_keys,
    cells_at_levels,
    filters,
    level_choices,
    pair_value,
)
from compat_eval.report.flips import CELLS, flips
from compat_eval.report.results import read_results
from compat_eval.report.tally import tally
from tests.unit.report.made_run import Row, made_run, summary
from tests.unit.report.parsed_run import parsed_run

ROWS = (
    Row(id="a", text="t", gold="x", old="x", new="y", slices={"s": "1"}),
    Row(id="b", text="t", gold="x", old="x", new="y", slices={"s": "2"}),
    Row(id="c", text="t", gold="z", old="z", new="z", slices={"s": "2"}),
)


def test_an_example_is_found_by_its_cell_at_each_level() -> None:
    results = read_results(parsed_run("las", "ucm"))
    listed = flips(results, "las", cells=CELLS)
    at_levels = cells_at_levels(results)

    keys = {one.id: " ".join(cell_keys(at_levels, one)) for one in listed}

    # s1: two words broke and one was fixed, so the tree is broken; s2: two were fixed.
    assert keys["s1"] == "0b 0f 1b"
    assert keys["s2"] == "0f 1f"
    assert [one.value for one in level_choices(results, listed, at_levels)] == [
        "las",
        "ucm",
    ]


def test_a_level_whose_grades_nobody_knows_is_no_choice() -> None:
    levels = {"example": summary(ROWS), "las": summary(ROWS)}
    results = read_results(made_run(ROWS, task={"levels": levels}))

    assert list(cells_at_levels(results)) == ["example"]


def test_choices_count_flipped_examples() -> None:
    results = read_results(made_run(ROWS))
    made, keys = filters(
        results, flips(results, "example", cells=CELLS), tally(results, "example")
    )

    texts = {
        one.name: [c.text for group in one.groups.values() for c in group]
        for one in made
    }
    assert texts == {"slice": ["1 (1)", "2 (1)"]}
    assert keys["slice"] == ["0", "1", "1"]


def test_a_pair_of_answers_is_one_value() -> None:
    assert pair_value("x", "") == "x → no answer"
