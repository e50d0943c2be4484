import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compat_eval.core.errors import CapabilityError, UsageError
from compat_eval.mitigations import MITIGATIONS
from compat_eval.mitigations.combine.bcr import backward_congruent
from compat_eval.mitigations.combine.ensemble import ensemble
from compat_eval.mitigations.combine.joint_decoding import joint_decoding
from compat_eval.mitigations.combine.log_linear import MixedParser, MixesSteps
from tests import fakes
from tests.fakes import FakeModel
from tests.unit.models.parser_toys import (
    sentence,
    toy_examples,
    tree,
    untrained,
    untrained_pointer,
)

OLD, NEW = untrained(1), untrained(2)
INPUTS = toy_examples(12).column("input").to_pylist()


def answers(model: Any, inputs: list[Any] = INPUTS) -> list[Any]:
    found: list[Any] = model.predict(model.encode(inputs))["prediction"].to_pylist()
    return found


def test_without_weight_the_answer_is_new_s() -> None:
    assert answers(joint_decoding(OLD, NEW, weight=0.0)) == answers(NEW)


def test_with_all_the_weight_the_answer_is_old_s() -> None:
    assert answers(joint_decoding(OLD, NEW, weight=1.0)) == answers(OLD)
    assert answers(OLD) != answers(NEW)


def test_a_model_joined_with_itself_is_itself() -> None:
    assert answers(joint_decoding(NEW, NEW, weight=0.4)) == answers(NEW)


@settings(deadline=None, max_examples=15)
@given(st.floats(0, 1), st.integers(0, 50))
def test_the_answer_is_the_best_of_all_trees(weight: float, seed: int) -> None:
    old, new = untrained(seed), untrained(seed + 1)
    two = [sentence("n1/NOUN", "v1/VERB")]
    every = [
        tree(heads, *labels)
        for heads in ((0, 1), (2, 0))
        for labels in itertools.product(new.labels, repeat=2)
    ]

    answer = answers(joint_decoding(old, new, weight=weight), two)[0]

    o = old.log_probability(old.encode(two), [every])[0]
    n = new.log_probability(new.encode(two), [every])[0]
    total = weight * o + (1 - weight) * n
    assert total[every.index(answer)] == pytest.approx(total.max(), abs=1e-3)


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 50))
def test_old_likes_the_answer_more_the_more_weight_it_has(seed: int) -> None:
    old, new = untrained(seed), untrained(seed + 1)

    liked = []
    for weight in (0.0, 0.25, 0.5, 0.75, 1.0):
        trees = [[a] for a in answers(joint_decoding(old, new, weight=weight))]
        nats = old.log_probability(old.encode(INPUTS), trees)
        liked.append(np.concatenate(nats))

    for less, more in itertools.pairwise(liked):
        assert (more >= less - 1e-3).all()


def test_relations_that_only_old_knows_are_not_used() -> None:
    fewer = fakes.examples(
        id=["s0"],
        input=[sentence("n1/NOUN", "v1/VERB")],
        gold=[tree([2, 0], "nsubj", "root")],
    )
    new = untrained(3, fewer)
    assert set(new.labels) < set(OLD.labels)

    found = answers(joint_decoding(OLD, new, weight=0.9))

    assert {name for one in found for name in one["deprels"]} <= set(new.labels)


def test_no_sentence_has_no_answer() -> None:
    assert answers(joint_decoding(OLD, NEW, weight=0.5), []) == []


@pytest.mark.parametrize("weight", [-0.1, 1.1])
def test_the_weight_is_a_share(weight: float) -> None:
    with pytest.raises(UsageError, match=r"weight must be a number in \[0, 1\]"):
        joint_decoding(OLD, NEW, weight=weight)


@pytest.mark.parametrize(
    ("other", "names"),
    [
        (FakeModel({}), "BiaffineParser and FakeModel"),
        (untrained_pointer(), "BiaffineParser and StackPointerParser"),
    ],
    ids=["fake", "pointer"],
)
def test_both_must_be_mixed_in_the_same_way(other: Any, names: str) -> None:
    with pytest.raises(CapabilityError, match=f"FactorsArcs.*MixesSteps.* {names}"):
        joint_decoding(other, NEW, weight=0.5)
    with pytest.raises(CapabilityError, match="joint decoding needs models that all"):
        joint_decoding(OLD, other, weight=0.5)


def test_stack_pointer_parsers_decide_each_step_together() -> None:
    old, new = untrained_pointer(1), untrained_pointer(2)

    both = joint_decoding(old, new, weight=0.3)

    assert isinstance(new, MixesSteps)
    assert answers(both) == answers(new.mixture(0.7, [(0.3, old)]))
    even = answers(ensemble([new, old]))
    assert even == answers(new.mixture(0.5, [(0.5, old)]))


def test_an_ensemble_of_two_is_their_even_mixture() -> None:
    assert answers(ensemble([NEW, OLD])) == answers(
        joint_decoding(OLD, NEW, weight=0.5)
    )


def test_further_new_models_share_new_s_part_evenly() -> None:
    third = untrained(3)
    mixed = MixedParser(parts=((0.35, NEW), (0.35, third), (0.3, OLD)))

    joint = joint_decoding(OLD, NEW, weight=0.3, with_=[third])

    assert answers(joint) == answers(mixed)
    assert answers(joint) != answers(joint_decoding(OLD, NEW, weight=0.3))


def test_without_weight_further_new_models_are_an_ensemble() -> None:
    joint = joint_decoding(OLD, NEW, weight=0.0, with_=[untrained(3)])

    assert answers(joint) == answers(ensemble([NEW, untrained(3)]))


def test_an_ensemble_of_one_is_that_one() -> None:
    assert answers(ensemble([NEW])) == answers(NEW)


def test_an_ensemble_needs_members_that_can_be_mixed() -> None:
    with pytest.raises(UsageError, match="at least one member"):
        ensemble([])
    with pytest.raises(CapabilityError, match="an ensemble needs models"):
        ensemble([NEW, FakeModel({})])


def test_bcr_with_itself_and_exact_candidates_changes_nothing() -> None:
    assert answers(backward_congruent(NEW, NEW, generator="k-best")) == answers(NEW)


def test_bcr_over_dropout_samples_without_dropout_changes_nothing() -> None:
    model = backward_congruent(OLD, NEW, generator="dropout-p", p=0.0, k=3)

    assert answers(model) == answers(NEW)


def test_methods_are_known_by_name() -> None:
    assert MITIGATIONS.load("joint") is joint_decoding
    assert MITIGATIONS.load("bcr") is backward_congruent
