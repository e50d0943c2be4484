from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from compat_eval.core.errors import UsageError
from compat_eval.core.protocols import Encodes, Predicts
from compat_eval.models.decoding.search import StepMixture
from compat_eval.models.parsing.sentence import Tree
from compat_eval.models.stack_pointer.parser import StackPointerParser
from tests.unit.models.parser_toys import (
    sentence,
    toy_examples,
    untrained_pointer,
)

OLD, NEW = untrained_pointer(1), untrained_pointer(2)
INPUTS = toy_examples(8).column("input").to_pylist()


def trees(model: StackPointerParser | StepMixture) -> list[Tree]:
    return answered(model, model.encode(INPUTS))


def answered(model: StackPointerParser | StepMixture, items: Any) -> list[Tree]:
    return [Tree.of(one) for one in model.predict(items)["prediction"].to_pylist()]


def total(tree: Tree, text: Any, weight: float) -> float:
    found = 0.0
    for share, model in ((weight, OLD), (1 - weight, NEW)):
        nats = model.log_probability(model.encode([text]), [[tree.as_answer()]])
        found += share * float(nats[0][0])
    return found


def test_a_mixture_encodes_and_predicts() -> None:
    both = NEW.mixture(0.5, [(0.5, OLD)])

    assert isinstance(both, Encodes)
    assert isinstance(both, Predicts)
    assert both.predict([]).num_rows == 0
    table = both.predict(both.encode(INPUTS))
    assert table["prediction"].to_pylist() == [t.as_answer() for t in trees(both)]


@pytest.mark.parametrize(("own", "other"), [(1.0, OLD), (0.0, NEW)])
def test_all_the_weight_makes_it_that_parser(
    own: float, other: StackPointerParser
) -> None:
    first, second = (NEW, OLD) if other is OLD else (OLD, NEW)

    assert trees(first.mixture(own, [(1 - own, second)])) == trees(NEW)
    assert trees(OLD) != trees(NEW)


def renamed(model: StackPointerParser, labels: tuple[str, ...]) -> StackPointerParser:
    return replace(model, vocabulary=replace(model.vocabulary, labels=labels))


@pytest.mark.parametrize("own", [0.0, 0.1, 0.5])
def test_labels_that_the_other_does_not_know_are_left_to_the_first(own: float) -> None:
    strange = renamed(OLD, tuple(f"x{name}" for name in OLD.labels))

    found = trees(NEW.mixture(own, [(1 - own, strange)]))

    assert {name for tree in found for name in tree.deprels} <= set(NEW.labels)
    assert [len(tree.heads) for tree in found] == [len(t["words"]) for t in INPUTS]


def test_labels_are_matched_by_name() -> None:
    turned = renamed(OLD, OLD.labels[::-1])
    same = renamed(OLD, OLD.labels)

    assert trees(NEW.mixture(0.4, [(0.6, same)])) == trees(
        NEW.mixture(0.4, [(0.6, OLD)])
    )
    assert trees(NEW.mixture(0.0, [(1.0, turned)])) == [
        Tree(
            tree.heads,
            tuple(OLD.labels[::-1][OLD.labels.index(n)] for n in tree.deprels),
        )
        for tree in trees(OLD)
    ]


def test_a_parser_mixed_with_itself_is_itself() -> None:
    assert trees(NEW.mixture(0.4, [(0.6, NEW)])) == trees(NEW)


@pytest.mark.parametrize("weight", [0.3, 0.5])
def test_the_answer_is_better_for_both_than_either_s_own(weight: float) -> None:
    wide = StackPointerParser(network=NEW.network, vocabulary=NEW.vocabulary, beam=400)
    text = sentence("n1/NOUN", "v1/VERB")

    both = wide.mixture(1 - weight, [(weight, OLD)])
    found = answered(both, both.encode([text]))[0]

    best = total(found, text, weight)
    for model in (OLD, NEW):
        for answer in model.propose(model.encode([text]), k=10, rng=_rng())[0]:
            assert total(Tree.of(answer), text, weight) <= best + 1e-4


def test_an_answer_does_not_depend_on_its_neighbours() -> None:
    both = NEW.mixture(0.5, [(0.5, OLD)])
    items = both.encode(INPUTS)

    assert answered(both, items) == [answered(both, [one])[0] for one in items]


@pytest.mark.parametrize(("own", "other"), [(-0.1, 1.1), (0.0, 0.0)])
def test_weights_that_make_no_sense_are_refused(own: float, other: float) -> None:
    with pytest.raises(UsageError, match="at least 0, and not all 0"):
        NEW.mixture(own, [(other, OLD)])


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)
