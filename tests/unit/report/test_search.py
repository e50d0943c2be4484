import pytest

from compat_eval.core.errors import UsageError
from compat_eval.report.flips import CELLS, flips
from compat_eval.report.results import read_results
from compat_eval.report.search import FlipFilter, chosen
from tests.unit.report.made_run import Row, made_run

ROWS = (
    Row(id="broke", text="b one", gold="a", old="a", new="b"),
    Row(id="two", text="b", gold="c", old="c", new="b", slices={"domain": "bank"}),
    Row(id="fixed", text="f", gold="a", old="b", new="a", slices={"domain": "home"}),
    Row(id="kept", text="k", gold="a", old="a", new="a"),
)


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (FlipFilter(id="kept"), ["kept"]),
        (FlipFilter(slice="domain=bank"), ["two"]),
        (FlipFilter(slice="domain"), ["two", "fixed"]),
        (FlipFilter(gold="c"), ["two"]),
        (FlipFilter(text="ONE b"), ["broke"]),
        (FlipFilter(), ["broke", "two", "fixed", "kept"]),
    ],
    ids=["id", "slice", "slice name", "gold", "text", "all"],
)
def test_choosing(choice: FlipFilter, expected: list[str]) -> None:
    results = read_results(made_run(ROWS))

    found = chosen(flips(results, "example", cells=CELLS), choice, slices=["domain"])

    assert [flip.id for flip in found] == expected


def test_an_unknown_slice_is_an_error() -> None:
    with pytest.raises(UsageError, match="no slice 'topic' in this run; it has domain"):
        chosen((), FlipFilter(slice="topic=x"), slices=["domain"])
