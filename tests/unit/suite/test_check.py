from collections.abc import Callable
from pathlib import Path

import pytest

from compat_eval.core.errors import SuiteError
from compat_eval.suite.check import check
from compat_eval.suite.data.places import DataPlaces
from compat_eval.suite.suite import Suite

Load = Callable[[str], Suite]
HEAD = """\
name: tiny
task: classification
data: {test: {file: test.csv}, train: {file: train.csv}}
fields: {id: id, input: text, gold: intent}
slices: {oos: {of: gold, equals: [leave]}}
"""


@pytest.fixture(autouse=True)
def _train(folder: Path) -> None:
    (folder / "train.csv").write_text("id,text,intent\nt,hi,greet\n")


def test_a_perfect_and_a_constant_model_are_scored(
    suite_of: Load, places: DataPlaces
) -> None:
    checked = check(suite_of(HEAD), places)

    assert checked.perfect == {"example": 1.0}
    assert checked.constant == {"example": pytest.approx(2 / 3)}
    assert checked.slices == {"oos=no": 2, "oos=yes": 1}
    assert {split: len(e) for split, e in checked.examples.items()} == {
        "test": 3,
        "train": 1,
    }
    assert checked.notes == (
        "1 test inputs also occur in train",
        "1 gold answers of test never occur in train",
    )


def test_inputs_that_differ_in_case_or_blanks_are_told(
    folder: Path, suite_of: Load, places: DataPlaces
) -> None:
    rows = "t,hi,greet\nu,Hello   THERE,greet\nv, good\tbye,leave\n"
    (folder / "train.csv").write_text(f"id,text,intent\n{rows}")

    assert check(suite_of(HEAD), places).notes == (
        "1 test inputs also occur in train, 2 more in other case or blanks",
    )


def test_that_trees_never_occur_in_training_is_no_news(
    folder: Path, suite_of: Load, places: DataPlaces
) -> None:
    golds = [f"[IN:A [SL:B {i} ] ]" for i in range(6)]
    for name, part in (("test", golds[:3]), ("train", golds[3:])):
        rows = [f"{i},{name} {i},{gold}" for i, gold in enumerate(part)]
        text = "\n".join(["id,text,intent", *rows])
        (folder / f"{name}.csv").write_text(text)

    suite = suite_of(HEAD.replace("classification", "semantic").split("slices")[0])

    assert check(suite, places).notes == ()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            "gates: [{quantity: nfr, at_most: 0.1, slice: oos=maybe}]\n",
            r"gates\[0\].slice: no test example is in 'oos=maybe'; .*oos=yes",
        ),
        (
            "protected: {ids: [a, q]}\n",
            r"protected.ids: no test example has the id 'q'",
        ),
        ("protected: {slices: [oos=x]}\n", r"protected.slices: no test example is in"),
    ],
)
def test_what_gates_name_must_be_there(
    suite_of: Load, places: DataPlaces, more: str, message: str
) -> None:
    with pytest.raises(SuiteError, match=message):
        check(suite_of(HEAD + more), places)


def test_a_suite_without_gold_scores_nobody(suite_of: Load, places: DataPlaces) -> None:
    suite = suite_of(HEAD.replace(", gold: intent", "").split("slices")[0])

    with pytest.raises(SuiteError, match=r"answers with gold scores 0\.0000"):
        check(suite, places)
