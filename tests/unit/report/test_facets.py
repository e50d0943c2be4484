from compat_eval.report.facets import flipped_parts
from compat_eval.report.flips import flips
from compat_eval.report.results import read_results
from tests.unit.report.made_run import made_run, varied_rows
from tests.unit.report.parsed_run import parsed_run


def test_what_broke_and_what_was_fixed_are_told_apart() -> None:
    results = read_results(parsed_run())
    listed = flips(results, "las")

    found = flipped_parts(results, listed)

    first = [one.id for one in listed].index("s1")
    assert "relation=det" in found.lost[first]
    assert "relation=det" not in found.won[first]
    assert found.of["relation=det"] == 1
    examples = [lost | won for lost, won in zip(found.lost, found.won, strict=True)]
    assert {value: sum(value in one for one in examples) for value in found.of} == {
        **found.of
    }


def test_a_task_without_facets_has_none() -> None:
    results = read_results(made_run(varied_rows(50, broken=3, fixed=2, missed=1)))

    found = flipped_parts(results, flips(results, "example"))

    assert (set().union(*found.lost, *found.won), dict(found.of)) == (set(), {})
