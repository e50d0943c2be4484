from pathlib import Path

import pyarrow as pa
import pytest

from compat_eval.core.errors import UsageError
from compat_eval.report.choosing import Choice, chosen
from compat_eval.report.flips import flips
from tests.unit.report.made_run import Row, made_run

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
    return [flip.id for flip in flips(made_run(ROWS, task=task), "example")]


def test_broken_first_then_the_surer_the_earlier() -> None:
    assert ids() == ["tossed", "broke-surely", "broke", "fixed"]


def test_flips_within_the_noise_come_after_the_others() -> None:
    noise = {"flips": 1, "examples": 6, "margin_envelope": 0.02}

    assert ids(noise=noise) == ["broke-surely", "broke", "tossed", "fixed"]


def test_an_unknown_level_is_an_error_that_names_those_there_are() -> None:
    with pytest.raises(UsageError, match="no level 'las'; it has example"):
        flips(made_run(ROWS), "las")


def test_an_example_that_one_side_lacks_counts_as_broken() -> None:
    run = made_run(ROWS)
    absent = pa.array([row.id == "missed" for row in ROWS])
    run = type(run)(
        path=Path("run"),
        comparison=run.comparison,
        manifest=run.manifest,
        examples=run.examples,
        old=run.old,
        new=run.new.with_column("missing", absent),
    )

    found = {flip.id: flip.cell for flip in flips(run, "example")}

    assert found["missed"] == "broken"


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (Choice(cell="fixed"), ["fixed"]),
        (Choice(slice="domain=bank"), ["broke-surely"]),
        (Choice(slice="domain"), ["broke-surely", "fixed"]),
        (Choice(gold="c"), ["broke-surely"]),
        (Choice(text="ONE b"), ["broke"]),
        (Choice(), ["tossed", "broke-surely", "broke", "fixed"]),
    ],
    ids=["cell", "slice", "slice name", "gold", "text", "all"],
)
def test_choosing(choice: Choice, expected: list[str]) -> None:
    found = chosen(flips(made_run(ROWS), "example"), choice, slices=["domain"])

    assert [flip.id for flip in found] == expected


def test_an_unknown_slice_is_an_error() -> None:
    with pytest.raises(UsageError, match="no slice 'topic' in this run; it has domain"):
        chosen((), Choice(slice="topic=x"), slices=["domain"])
