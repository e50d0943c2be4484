"""The experiments on training: what is tried, what is demanded, and what was found."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compat_eval.core.grades import CELLS, Grades
from compat_eval.mitigations.spec import MitigationSpec
from experiments.training import answering, updates
from experiments.training.answering import Made, plain
from experiments.training.bars import Bar, outcome
from experiments.training.demands import BARS
from experiments.training.methods import Method, Pair
from experiments.training.updates import PLANS, Plan, named
from experiments.training.vectors import RememberingClassifier, RememberingEncoder
from experiments.updates.graded import Graded
from experiments.updates.tables import Row
from experiments.updates.treated import Update

pytestmark = pytest.mark.torch

RESULTS = Path(__file__).parents[3] / "experiments" / "training" / "results.json"


def committed() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(RESULTS.read_text("utf-8"))
    return rows


@pytest.mark.parametrize("name", PLANS)
def test_every_method_can_be_asked_for(name: str) -> None:
    texts = {one.text for one in PLANS[name].methods if one.text}
    parts = [part for text in texts for part in text.split(" of ")]

    assert [MitigationSpec.parse(part.replace("…", "compat:x")) for part in parts]


@pytest.mark.parametrize("name", PLANS)
def test_settings_of_a_method_differ(name: str) -> None:
    settings = [(one.name, one.setting) for one in PLANS[name].methods]

    assert len(set(settings)) == len(settings)


def test_a_chain_treats_what_the_last_update_made() -> None:
    mix = Method(name="mix", text="mix", make=lambda pair: pair.under("mix:weight=0.5"))
    plan = Plan(
        update=Update(
            title="t", old=named("h", "b", 1, 1), new=named("h", "c", 1, 1), zipped=True
        ),
        suite="s",
        methods=[mix],
        generations=[named("h", "a", 1, 1), named("h", "b", 1, 1)],
    )

    ((_, _, (last,)),) = updates.every(plan)

    second = Made(method="mix:weight=0.5", old=plain("h-a-1"), new=plain("h-b-1"))
    assert last == Made(method="mix:weight=0.5", old=second, new=plain("h-c-1"))


def test_what_is_made_otherwise_has_another_key() -> None:
    pair = Pair(
        old=plain("h-a-1"), new=plain("h-b-2"), others=(), old_others=(), seed=2
    )
    made = [pair.under("mix"), pair.under("mix:weight=0.5"), pair.warm(), pair.warm(1)]
    made.append(pair.under("mix", further=[("with", plain("h-b-3"))]))

    assert len({one.key for one in made}) == len(made)
    assert made[0].key == pair.under("mix").key


def test_added_classes_are_counted_apart() -> None:
    right = np.array([True, False, True, True, False])
    known = np.array([True, True, False, True, True])
    outside = np.array([False, False, False, False, True])
    found = Graded(levels={"example": Grades(right, np.arange(6))}, cpu_seconds=1.0)

    levels = answering._by_classes(found, known, outside).levels

    shares = {name: one.right.mean() for name, one in levels.items()}
    assert shares == {
        "old classes": pytest.approx(2 / 3),
        "all classes": 0.75,
        "new classes": 1.0,
        "out of scope": 0.0,
    }
    assert levels["new classes"].offsets.tolist() == [0, 0, 0, 1, 1, 1]


class _Encoder:
    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, inputs: list[str]) -> list[Any]:
        return [_Item(text) for text in inputs]

    def embed(self, items: list[Any]) -> Any:
        self.asked += [item.text for item in items]
        return np.array([[float(len(item.text))] for item in items])


class _Item:
    def __init__(self, text: str) -> None:
        self.text, self.ids = text, tuple(map(ord, text))


def test_an_encoder_computes_a_text_once() -> None:
    encoder: Any = _Encoder()
    remembering = RememberingEncoder(encoder, {})

    for texts in (["a", "bbb"], ["bbb", "cc"]):
        vectors = remembering.embed(remembering.encode(texts))
        assert vectors.tolist() == [[float(len(text))] for text in texts]

    assert encoder.asked == ["a", "bbb", "cc"]


class _Classifier:
    labels = ("long", "short")

    def __init__(self) -> None:
        self.asked: list[str] = []

    def logits(self, items: Any) -> Any:
        self.asked += items
        return np.array([[float(len(text)), 2.0] for text in items])


def test_a_classifier_answers_a_text_once() -> None:
    model: Any = _Classifier()
    remembering = RememberingClassifier(model)

    answers = [
        remembering.predict(remembering.encode(texts))["prediction"].to_pylist()
        for texts in (["a", "bbb"], ["bbb", "c", "a"])
    ]

    assert answers == [["short", "long"], ["long", "short", "short"]]
    assert model.asked == ["a", "bbb", "c"]
    assert remembering.logits([]).shape == (0, 2)


def row(cut: list[float], gain: list[float], **fields: object) -> Row:
    """Return a row with value and bounds of both numbers."""
    return {
        "update": "t",
        "treatment": "mix",
        "setting": 0.5,
        "level": "example",
        "split": "test",
        "chosen_on_dev": True,
        "metrics": {"nfr_cut": cut[0], "accuracy_gain": gain[0]},
        "intervals": {"nfr_cut": cut[1:], "accuracy_gain": gain[1:]},
        **fields,
    }


BAR = Bar(what="mix", update="t", treatments=["mix"], cut=0.4)


@pytest.mark.parametrize(
    ("cut", "gain", "expected"),
    [
        ([0.5, 0.41, 0.6], [0.01, 0.0, 0.02], (True, "win")),
        ([0.5, 0.3, 0.6], [0.01, 0.0, 0.02], (True, "tie")),
        ([0.39, 0.3, 0.6], [0.01, 0.0, 0.02], (False, "tie")),
        ([0.5, 0.41, 0.6], [-0.02, -0.03, -0.01], (False, "loss")),
    ],
)
def test_a_bar_is_met_by_numbers_and_shown_by_intervals(
    cut: list[float], gain: list[float], expected: tuple[bool, str]
) -> None:
    found = outcome(BAR, [row(cut, gain)])

    assert found is not None
    assert (found.met, found.shown) == expected


def test_a_bar_is_about_what_dev_chose_on_test() -> None:
    good = ([0.9, 0.9, 0.9], [0.0, 0.0, 0.0])
    others: list[Mapping[str, Any]] = [
        {"split": "dev"},
        {"chosen_on_dev": False},
        {"update": "other"},
        {"treatment": "other"},
    ]

    assert outcome(BAR, [row(*good, **one) for one in others]) is None


def test_every_bar_is_about_a_planned_treatment() -> None:
    planned = {
        plan.update.title: {one.name for one in plan.methods} for plan in PLANS.values()
    }

    for bar in BARS:
        assert planned[bar.update] & {*bar.treatments}, bar.what


def test_pooled_counts_are_the_sums_of_the_pairs() -> None:
    for one in committed():
        sums = {
            cell: sum(pair["counts"][cell] for pair in one["pairs"]) for cell in CELLS
        }
        assert one["counts"] == sums
        assert len(one["pairs"]) == len(one["seeds"]) >= 3


def test_every_update_has_old_and_untreated_new_beside_what_was_tried() -> None:
    rows = committed()
    updates = {(one["update"], one["level"], one["split"]) for one in rows}
    for update in updates:
        here = [
            one for one in rows if (one["update"], one["level"], one["split"]) == update
        ]
        assert [one["treatment"] for one in here[:2]] == ["keep OLD", "untreated"]
        assert here[0]["metrics"]["nfr"] == 0
        assert {"nfr", "pfr", "accuracy_new"} <= here[1]["metrics"].keys()
    assert {split for *_, split in updates} == {"dev", "test"}


def test_one_setting_of_each_method_is_chosen() -> None:
    chosen: dict[tuple[str, ...], int] = {}
    for one in committed():
        key = (one["update"], one["treatment"], one["level"], one["split"])
        chosen[key] = chosen.get(key, 0) + one["chosen_on_dev"]

    assert set(chosen.values()) == {1}
