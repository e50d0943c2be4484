"""What a Python program may hand to `compare`, and what it may not."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import compat_eval
from compat_eval import CompatEvalError, compare

GOLD = ["a", "b", "c", "a"]
OLD = ["a", "b", "b", "a"]
NEW = ["a", "c", "c", "a"]
COUNTS = {"kept": 2, "broken": 1, "fixed": 1, "missed": 0}
IDS = ["q1", "q2", "q3", "q4"]


def table(answers: list[str], **more: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"id": IDS, "prediction": answers, **more})


def counts(found: compat_eval.Comparison) -> dict[str, int]:
    return dict(found.judged.levels["example"].counts)


def asked(found: compat_eval.Comparison) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = found.tasks[0].panel.examples.table.to_pydict()
    return columns


@pytest.mark.parametrize(
    "of",
    [list, tuple, np.array, pd.Series, pa.array],
    ids=["list", "tuple", "numpy", "pandas", "arrow"],
)
def test_answers_and_gold_are_columns_of_any_kind(of: Callable[[Any], Any]) -> None:
    found = compare(of(OLD), of(NEW), gold=of(GOLD))

    assert counts(found) == COUNTS
    assert asked(found)["id"] == ["0", "1", "2", "3"]


def test_what_was_asked_stands_beside_the_answers() -> None:
    found = compare(
        OLD,
        NEW,
        gold=GOLD,
        inputs=["w", "x", "y", "z"],
        ids=IDS,
        slices=pd.DataFrame({"site": ["web", "web", "app", "app"]}),
        weights=[1, 2, 1, 1],
        clusters=["d", "d", "e", "e"],
    )

    assert asked(found) == {
        "id": IDS,
        "input": ["w", "x", "y", "z"],
        "gold": GOLD,
        "cluster": ["d", "d", "e", "e"],
        "weight": [1.0, 2.0, 1.0, 1.0],
        "slice.site": ["web", "web", "app", "app"],
    }


@pytest.mark.parametrize(
    "slices",
    [
        {"site": ["web", "web", "app", "app"]},
        pd.Series(["web", "web", "app", "app"], name="site"),
        pa.table({"site": ["web", "web", "app", "app"]}),
    ],
    ids=lambda slices: type(slices).__name__,
)
def test_slices_are_a_table_or_columns_with_names(slices: object) -> None:
    found = compare(OLD, NEW, gold=GOLD, slices=slices)

    assert asked(found)["slice.site"] == ["web", "web", "app", "app"]


def test_an_index_that_says_more_than_rows_names_the_examples() -> None:
    found = compare(pd.Series(OLD, index=IDS), np.array(NEW), gold=pd.Series(GOLD, IDS))

    assert asked(found)["id"] == IDS
    assert counts(found) == COUNTS


def test_tables_are_paired_by_id() -> None:
    new = table(NEW).iloc[::-1]

    assert counts(compare(table(OLD, gold=GOLD), new)) == COUNTS
    assert counts(compare(table(OLD), new, gold=table(OLD, gold=GOLD))) == COUNTS


def test_a_table_without_ids_has_them_in_its_index() -> None:
    old, new = (table(one).set_index("id") for one in (OLD, NEW))

    assert counts(compare(old, new, gold=GOLD)) == COUNTS


def test_columns_of_a_table_are_named_as_those_of_files_are() -> None:
    old, new = (
        table(one, label=GOLD).rename(columns={"prediction": "said"})
        for one in (OLD, NEW)
    )

    found = compare(old, new, fields={"prediction": "said", "gold": "label"})

    assert counts(found) == COUNTS


def test_a_list_beside_tables_in_one_order_belongs_to_their_rows() -> None:
    assert counts(compare(table(OLD), table(NEW), gold=GOLD)) == COUNTS


def test_probabilities_are_scores_of_the_answers() -> None:
    chances = np.full((4, 3), 0.2) + 0.4 * np.eye(3)[[0, 1, 1, 0]]

    found = compare(
        OLD,
        NEW,
        gold=GOLD,
        old_scores=chances,
        new_scores=[0.9, 0.8, 0.7, 0.6],
        classes=["a", "b", "c"],
    )

    panel = found.tasks[0].panel
    assert panel.answers["old"].column("score").to_pylist() == pytest.approx([0.6] * 4)
    assert panel.answers["new"].column("score").to_pylist() == [0.9, 0.8, 0.7, 0.6]


def test_versions_and_training_runs_are_columns_too() -> None:
    assert counts(compare(OLD, GOLD, NEW, gold=GOLD)) == COUNTS
    pooled = compare([OLD, OLD], [np.array(NEW)], gold=GOLD)
    assert counts(pooled) == {name: 2 * n for name, n in COUNTS.items()}


def test_texts_are_references_and_lists_of_them_training_runs(tmp_path: Path) -> None:
    rows = [",".join(row) for row in zip(IDS, OLD, GOLD, strict=True)]
    path = tmp_path / "old.csv"
    path.write_text("\n".join(["id,prediction,gold", *rows]))

    assert counts(compare(str(path), table(NEW))) == COUNTS
    assert counts(compare(path, table(NEW))) == COUNTS
    assert counts(compare([str(path)], [table(NEW)])) == COUNTS
    with pytest.raises(CompatEvalError, match=r"absent\.csv"):
        compare([str(path), str(tmp_path / "absent.csv")], [str(path)])


@pytest.mark.parametrize(
    ("given", "cure"),
    [
        (lambda: compare(OLD, NEW[:3], gold=GOLD), "old 4, new 3, gold 4"),
        (lambda: compare(OLD, NEW, gold=GOLD, ids=IDS[:2]), "ids 2"),
        (lambda: compare([], [], gold=[]), "hold nothing to compare"),
        (
            lambda: compare(pd.Series(OLD, IDS), pd.Series(NEW, IDS[::-1]), gold=GOLD),
            "new.loc[old.index]",
        ),
        (
            lambda: compare(pd.Series(OLD, IDS), pd.Series(NEW), gold=GOLD),
            ".reset_index(drop=True)",
        ),
        (
            lambda: compare(pd.Series(OLD, ["x"] * 4), NEW, gold=GOLD),
            "holds 'x' several times",
        ),
        (
            lambda: compare(table(OLD), table(NEW).iloc[::-1], gold=GOLD),
            "as one table with a column id",
        ),
        (lambda: compare(table(OLD), table(NEW), gold=GOLD[:2]), "has 2 rows"),
        (
            lambda: compare(table(OLD)[["id"]], table(NEW), gold=GOLD),
            "no column 'prediction'",
        ),
        (
            lambda: compare(OLD, NEW, gold=pd.DataFrame({"label": GOLD})),
            "as in table['label']",
        ),
        (lambda: compare(OLD, NEW, gold=GOLD, slices=OLD), "give a table, or {name"),
        (
            lambda: compare(OLD, NEW, gold=GOLD, slices={"n": [0.1, 0.2, 0.3, 0.4]}),
            "column 'n' holds double",
        ),
        (lambda: compare(OLD, NEW, gold=GOLD, slices={"n": IDS}), "4 different values"),
        (lambda: compare(OLD, NEW, gold=GOLD, suite="library-desk"), "leave out suite"),
        (lambda: compare(OLD, NEW, suite="library-desk"), "add ids="),
        (
            lambda: compare(OLD, NEW, gold="gold.csv", inputs=OLD),
            "give gold from memory",
        ),
        (lambda: compare(OLD, NEW, gold=GOLD, old_scores=[0.5]), "give one an answer"),
        (
            lambda: compare(table(OLD), table(NEW), gold=GOLD, new_scores=[0.5] * 4),
            "a table has a column 'score'",
        ),
        (lambda: compare(OLD, NEW, gold=GOLD, limt=3), "did you mean limit"),
        (lambda: compare(OLD, [[0.1, 0.9]] * 4, gold=GOLD), "one value an example"),
    ],
)
def test_what_does_not_fit_together_is_refused_with_its_cure(
    given: Callable[[], object], cure: str
) -> None:
    with pytest.raises(CompatEvalError, match=re.escape(cure)):
        given()


def test_gates_may_be_given_as_a_file_would_hold_them() -> None:
    answers = ["a", "b"] * 200
    gate = {"quantity": "nfr", "at_most": 0.02}

    assert compare(answers, answers, gold=answers, gates=[gate]).verdict == "pass"
    protected = {"protected": {"ids": ["0"]}}
    assert compare(OLD, NEW, gold=GOLD, gates=protected).verdict == "pass"
    with pytest.raises(CompatEvalError, match=r"gates\[0\].*For 2 % write 0\.02"):
        compare(OLD, NEW, gold=GOLD, gates=[{"quantity": "nfr", "at_most": 2}])
    with pytest.raises(CompatEvalError, match="holds no gate"):
        compare(OLD, NEW, gold=GOLD, gates=[])
