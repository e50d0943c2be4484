"""Macro F1 against scikit-learn, and by hand."""

import math

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import f1_score

from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.statistics.families.f1 import macro_f1
from tests.paired import Pair


def tables(
    gold: list[str | None], said: list[str | None]
) -> tuple[Examples, Predictions]:
    ids = [f"e{i}" for i in range(len(gold))]
    examples = Examples(pa.table({"id": ids, "gold": pa.array(gold, pa.string())}))
    predictions = Predictions(
        pa.table({"id": ids, "prediction": pa.array(said, pa.string())})
    )
    return examples, predictions


def score(gold: list[str | None], said: list[str | None]) -> float:
    examples, predictions = tables(gold, said)
    metric = macro_f1(examples)
    return float(metric.value(metric.rows(examples, predictions).total()))


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_scikit_learn_over_gold_classes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    gold = rng.choice(["a", "b", "c", "d"], 200, p=[0.6, 0.25, 0.1, 0.05])
    said = np.where(rng.random(200) < 0.7, gold, rng.choice([*"abcde"], 200))

    expected = f1_score(
        gold, said, labels=sorted(set(gold)), average="macro", zero_division=0
    )

    assert score(gold.tolist(), said.tolist()) == pytest.approx(expected)


def test_by_hand() -> None:
    # a: tp 1, predicted 1, gold 2 -> 2/3; b: tp 1, predicted 2, gold 1 -> 2/3
    assert score(["a", "a", "b"], ["a", "b", "b"]) == pytest.approx(2 / 3)


def test_no_answer_is_a_miss_and_not_a_class() -> None:
    # a: tp 1, predicted 1, gold 2 -> 2/3; b: 1
    assert score(["a", "a", "b"], ["a", None, "b"]) == pytest.approx((2 / 3 + 1) / 2)


def test_consistent_relabelling_changes_nothing() -> None:
    gold: list[str | None] = ["a", "a", "b", "c", "c"]
    said: list[str | None] = ["a", "b", "b", "c", "a"]
    names = {"a": "z", "b": "y", "c": "x"}

    renamed = score([names[str(g)] for g in gold], [names[str(s)] for s in said])

    assert renamed == pytest.approx(score(gold, said))


def test_columns_mean_the_same_for_both_models() -> None:
    examples, old = tables(["a", "b", "b"], ["a", "b", "a"])
    _, new = tables(["a", "b", "b"], ["x", "x", "x"])
    metric = macro_f1(examples)

    assert metric.rows(examples, old).distinct.shape[1] == 6
    assert metric.rows(examples, new).distinct.shape[1] == 6
    assert float(metric.value(metric.rows(examples, new).total())) == 0


def test_undefined_of_nothing() -> None:
    assert math.isnan(float(macro_f1(tables(["a"], ["a"])[0]).value(np.zeros(3))))


def test_rows_over_a_partition_sum_to_the_whole() -> None:
    examples, predictions = tables([*"aabbc"], [*"abbba"])
    rows = macro_f1(examples).rows(examples, predictions)
    some = np.array([True, False, True, False, True])

    parts = rows.take(some).total() + rows.take(~some).total()

    assert parts.tolist() == rows.total().tolist()


def test_so_many_classes_that_rows_are_sparse_give_the_same_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    golds = [f"c{i % 7}" for i in range(60)]
    answers = [f"c{(i * i) % 9}" for i in range(60)]
    dense = paired(golds, answers, answers[::-1])
    monkeypatch.setattr("compat_eval.core.rows._MOST_COLUMNS", 20)
    sparse = paired(golds, answers, answers[::-1])

    found = sparse.change().estimate()

    assert sparse.rows.old.is_sparse
    assert found.value == pytest.approx(dense.change().estimate().value)
    assert math.isnan(found.low)
    assert "too many to resample" in str(found.reason)
    assert sparse.change().p_above(-1.0) == 1.0


def paired(golds: list[str], old: list[str], new: list[str]) -> Pair:
    ids = [str(i) for i in range(len(golds))]
    examples = Examples(pa.table({"id": ids, "gold": golds}))
    metric = macro_f1(examples)
    rows = [
        metric.rows(examples, Predictions(pa.table({"id": ids, "prediction": one})))
        for one in (old, new)
    ]
    return Pair(value=metric.value, old=rows[0], new=rows[1])
