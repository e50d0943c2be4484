"""Identities in an index, by what items find."""

import numpy as np
import pyarrow as pa
import pytest

from compat_eval.comparison.index_decision.identities import (
    identified,
    index_generations,
)
from compat_eval.comparison.panel import Panel
from compat_eval.core.errors import UsageError
from compat_eval.core.examples import LABEL, Examples
from compat_eval.core.predictions import Predictions
from compat_eval.tasks.retrieval.task import retrieval

IDS = ["a1", "a2", "b1", "b2"]
GOLD = [["a2"], ["a1"], ["b2"], ["b1"]]


def panel(**found: list[list[str]]) -> Panel:
    gold = [[{"document": d, "relevance": 1} for d in one] for one in GOLD]
    table = {"id": IDS, "input": IDS, "gold": gold, LABEL: list("aabb")}
    answers = {
        role: Predictions(pa.table({"id": IDS, "prediction": rankings}))
        for role, rankings in found.items()
    }
    return Panel.aligned(
        Examples(pa.table(table)),
        answers,
        task=retrieval(k=1),
        name="people",
        levels=["query"],
    )


def test_an_item_gets_the_label_of_what_it_finds_first() -> None:
    """NEW puts all four together: 2 of 6 pairs are right, and both right ones are."""
    found = identified(
        panel(
            old=[["a2"], ["a1"], ["b2"], ["b1"]],
            new=[["a2", "b1"], ["a1"], ["a1"], ["a2"]],
        ),
        ["old", "new"],
        confidence=0.95,
    )

    old, new = found
    assert (old.f1.value, old.changed) == (1.0, 0.0)
    assert new.f1.value == pytest.approx(2 * 2 / (6 + 2))
    assert new.change.value == pytest.approx(-0.5)
    assert new.changed == 0.5


def test_what_finds_nothing_is_alone() -> None:
    """Of 2 pairs of gold 1 is left."""
    _, new = identified(
        panel(old=GOLD, new=[["a2"], ["a1"], [], []]), ["old", "new"], confidence=0.95
    )

    assert new.f1.value == pytest.approx(2 * 1 / (1 + 2))
    assert new.changed == 0.5


def test_without_labels_there_are_no_identities() -> None:
    plain = panel(old=GOLD)
    examples = Examples(plain.examples.table.drop_columns(LABEL))

    assert (
        identified(
            Panel.aligned(
                examples,
                plain.answers,
                task=plain.task,
                name="pages",
                levels=["query"],
            ),
            ["old"],
            confidence=0.95,
        )
        == ()
    )


def test_states_hold_the_same_items() -> None:
    with pytest.raises(UsageError, match="same items"):
        index_generations({"old": np.array([1])}, np.array(["a", "b"]))
