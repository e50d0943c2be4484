"""Search step by step, over a made-up language and over untrained parsers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import pytest
import torch
from torch import Tensor

from compat_eval.core.errors import UsageError
from compat_eval.core.protocols import Encodes, Predicts
from compat_eval.mitigations.combine.ensemble import ensemble
from compat_eval.mitigations.combine.joint_decoding import joint_decoding
from compat_eval.mitigations.combine.log_linear import MixesSteps
from compat_eval.models.decoding.candidates import most_probable, nucleus
from compat_eval.models.decoding.search import (
    NextSteps,
    PartialAnswers,
    StepMixture,
    beam_search,
    drawn_answers,
    picked,
    weighted,
)
from compat_eval.models.parsing.sentence import Tree
from compat_eval.models.stack_pointer.parser import StackPointerParser
from compat_eval.models.tree_seq2seq.parser import TreeSeq2Seq
from compat_eval.testing.models import check_model
from tests import fakes
from tests.unit.models import parser_toys, seq2seq_toys
from tests.unit.models.tree_seq2seq.test_parser import chains

pytestmark = pytest.mark.torch

END, A, B = 0, 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialWords(PartialAnswers):
    words: Tensor


class ToyBuilder:
    """Words over A and B: P(A) = .5 and P(B) = .4 at first, then P(END) = .6 after A.

    A and B may be capitals, P = .3; after B or a capital END is certain.
    """

    most_steps = 3

    def begin(self, beam: int) -> PartialWords:
        return PartialWords(
            nats=torch.zeros(1, beam),
            is_done=torch.zeros(1, beam, dtype=torch.bool),
            words=torch.zeros(1, beam, 0, dtype=torch.long),
        )

    def next_steps(self, state: PartialWords) -> tuple[NextSteps, PartialWords]:
        shares = torch.tensor([0.1, 0.5, 0.4]).expand(*state.nats.shape, 3)
        if state.words.shape[-1]:
            after_a = torch.tensor([0.6, 0.4, 0.0])
            certain = torch.tensor([1.0, 0.0, 0.0])
            was_a = (state.words[..., -1] == A).unsqueeze(-1)
            shares = torch.where(was_a, after_a, certain)
        if state.words.shape[-1] == 2:
            shares = torch.tensor([1.0, 0.0, 0.0]).expand_as(shares)
        labels = torch.tensor([[1.0, 0.0], [0.7, 0.3], [0.7, 0.3]])
        return NextSteps(shares.log(), labels.log().expand(*shares.shape, 2)), state

    def extended(
        self, state: PartialWords, choice: Tensor, label: Tensor | None
    ) -> PartialWords:
        assert label is not None
        token = torch.where(state.is_done, -1, choice + 10 * label).unsqueeze(-1)
        return replace(
            state,
            words=torch.cat([state.words, token], dim=-1),
            is_done=state.is_done | (choice == END),
        )


def said(state: PartialWords) -> list[tuple[int, ...]]:
    rows = state.words[0].tolist()
    return [tuple(token for token in row if token > 0) for row in rows]


def test_a_beam_keeps_the_most_probable_and_orders_them() -> None:
    found = beam_search(ToyBuilder(), 3)

    # B is .4 × .7; A is .5 × .7 × .6; A A is .5 × .7 × .4 × .7.
    assert said(found) == [(B,), (A,), ()]
    assert found.nats[0].exp().tolist() == pytest.approx([0.28, 0.21, 0.1])
    assert found.is_done.all()


def test_a_beam_of_one_is_greedy() -> None:
    found = beam_search(ToyBuilder(), 1)

    assert said(found) == [(A,)]
    assert found.nats.exp().item() == pytest.approx(0.21)


def test_draws_are_as_frequent_as_they_are_probable() -> None:
    seeds = np.arange(4000, dtype=np.int64)[None]

    found = drawn_answers(ToyBuilder(), seeds, nucleus(1.0))

    words = said(found)
    for word, p in (((B,), 0.28), ((10 + A,), 0.15), ((A, A), 0.098), ((), 0.1)):
        assert words.count(word) / 4000 == pytest.approx(p, abs=0.02)
        assert found.nats[0, words.index(word)].exp().item() == pytest.approx(p)


def test_a_draw_depends_on_its_seed_and_on_what_may_be_drawn() -> None:
    seeds = np.array([[3, 4, 3]], np.int64)

    found = said(drawn_answers(ToyBuilder(), seeds, nucleus(1.0)))

    assert found[0] == found[2]
    assert said(drawn_answers(ToyBuilder(), seeds, most_probable(1))) == [(A,)] * 3


def test_the_weighted_sum_leaves_out_who_has_no_weight() -> None:
    one, other = torch.tensor([-1.0, -2.0]), torch.tensor([-torch.inf, -4.0])

    assert weighted([0.5, 0.25], [one, other]).tolist() == [-np.inf, -2.0]
    assert weighted([1.0, 0.0], [one, other]).tolist() == [-1.0, -2.0]


def test_rows_are_picked_of_every_tensor_of_a_record() -> None:
    state = ToyBuilder().begin(2)

    both = picked((state, (torch.arange(3),)), torch.tensor([0, 0]))

    assert both[0].nats.shape == (2, 2)
    assert both[1][0].tolist() == [0, 0]


Parser: TypeAlias = StackPointerParser | TreeSeq2Seq
SENTENCES = parser_toys.toy_examples(8).column("input").to_pylist()
UTTERANCES = ["wake me day1.", "call Name2 day2", "tell Name3 wake me day2 and go on"]
OLD_POINTER, NEW_POINTER = map(parser_toys.untrained_pointer, (1, 2))
OLD_WRITER, NEW_WRITER = map(seq2seq_toys.untrained, (1, 2))
KINDS: dict[str, tuple[Any, Any, list[Any]]] = {
    "stack-pointer": (OLD_POINTER, NEW_POINTER, SENTENCES),
    "seq2seq": (OLD_WRITER, NEW_WRITER, UTTERANCES),
}


@pytest.fixture(params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def answers(model: Any, inputs: Sequence[Any]) -> list[Any]:
    found: list[Any] = model.predict(model.encode(inputs))["prediction"].to_pylist()
    return found


def trees(model: Any, inputs: Sequence[Any]) -> list[Tree]:
    return [Tree.of(one) for one in answers(model, inputs)]


def test_a_mixture_answers_as_a_model_does(kind: str) -> None:
    old, new, inputs = KINDS[kind]

    mixture = new.mixture(0.5, [(0.5, old)])

    assert isinstance(mixture, StepMixture)
    assert isinstance(mixture, Predicts)
    assert isinstance(mixture, Encodes)
    check_model(mixture, inputs)
    assert answers(mixture, []) == []


def test_joint_decoding_and_ensembles_take_it(kind: str) -> None:
    old, new, inputs = KINDS[kind]

    for weight, same in ((0.0, new), (1.0, old)):
        joint = joint_decoding(old, new, weight=weight)
        assert answers(joint, inputs) == answers(same, inputs)
    assert isinstance(new, MixesSteps)
    both = new.mixture(0.5, [(0.5, old)])
    assert answers(ensemble([KINDS[kind][1], old]), inputs) == answers(both, inputs)


def test_all_the_weight_of_one_model_is_that_model(kind: str) -> None:
    old, new, inputs = KINDS[kind]

    assert answers(old, inputs) != answers(new, inputs)
    assert answers(new.mixture(1.0, [(0.0, old)]), inputs) == answers(new, inputs)
    assert answers(new.mixture(0.0, [(1.0, old)]), inputs) == answers(old, inputs)


def test_a_model_mixed_with_itself_is_itself(kind: str) -> None:
    _, new, inputs = KINDS[kind]

    assert answers(new.mixture(0.3, [(0.7, new)]), inputs) == answers(new, inputs)


def test_an_answer_does_not_depend_on_its_neighbours(kind: str) -> None:
    old, new, inputs = KINDS[kind]
    both = new.mixture(0.5, [(0.5, old)])

    assert answers(both, inputs) == [answers(both, [one])[0] for one in inputs]


@pytest.mark.parametrize(
    ("own", "other"), [(-0.5, 1.5), (0.0, 0.0), (float("nan"), 1.0)]
)
def test_weights_that_make_no_sense_are_told(
    kind: str, own: float, other: float
) -> None:
    old, new, _ = KINDS[kind]

    with pytest.raises(UsageError, match="must be at least 0, and not all 0"):
        new.mixture(own, [(other, old)])


def renamed(model: StackPointerParser, labels: tuple[str, ...]) -> StackPointerParser:
    return replace(model, vocabulary=replace(model.vocabulary, labels=labels))


@pytest.mark.parametrize("own", [0.0, 0.1, 0.5])
def test_relations_that_the_other_does_not_know_are_left_to_the_first(
    own: float,
) -> None:
    strange = renamed(OLD_POINTER, tuple(f"x{name}" for name in OLD_POINTER.labels))

    found = trees(NEW_POINTER.mixture(own, [(1 - own, strange)]), SENTENCES)

    assert {name for tree in found for name in tree.deprels} <= set(NEW_POINTER.labels)
    assert [len(tree.heads) for tree in found] == [len(t["words"]) for t in SENTENCES]


def test_relations_are_matched_by_name() -> None:
    labels = OLD_POINTER.labels
    turned, same = renamed(OLD_POINTER, labels[::-1]), renamed(OLD_POINTER, labels)

    assert trees(NEW_POINTER.mixture(0.4, [(0.6, same)]), SENTENCES) == trees(
        NEW_POINTER.mixture(0.4, [(0.6, OLD_POINTER)]), SENTENCES
    )
    assert trees(NEW_POINTER.mixture(0.0, [(1.0, turned)]), SENTENCES) == [
        Tree(tree.heads, tuple(labels[::-1][labels.index(n)] for n in tree.deprels))
        for tree in trees(OLD_POINTER, SENTENCES)
    ]


@pytest.mark.parametrize("weight", [0.3, 0.5])
def test_the_tree_found_is_better_for_both_than_either_s_own(weight: float) -> None:
    text = parser_toys.sentence("n1/NOUN", "v1/VERB")
    both = replace(NEW_POINTER, beam=400).mixture(1 - weight, [(weight, OLD_POINTER)])

    def total(answer: Any) -> float:
        shares = ((weight, OLD_POINTER), (1 - weight, NEW_POINTER))
        return sum(
            share * float(m.log_probability(m.encode([text]), [[answer]])[0][0])
            for share, m in shares
        )

    best = total(answers(both, [text])[0])

    for model in (OLD_POINTER, NEW_POINTER):
        rng = np.random.default_rng(0)
        for answer in model.propose(model.encode([text]), k=10, rng=rng)[0]:
            assert total(answer) <= best + 1e-4


def knowing(*labels: str, seed: int) -> TreeSeq2Seq:
    """Return a model of which every label occurs in its training data."""
    gold = [
        f"[{label} wake ]" if label.startswith("IN:") else f"[IN:A [{label} wake ] ]"
        for label in labels
    ]
    ids = [str(at) for at in range(len(gold))]
    examples = fakes.examples(id=ids, input=["wake"] * len(gold), gold=gold)
    return seq2seq_toys.untrained(seed, examples, beam=40)


@pytest.mark.parametrize("weight", [0.2, 0.5, 0.9])
def test_a_wide_beam_finds_the_highest_weighted_sum(weight: float) -> None:
    labels = ("IN:A", "IN:B", "SL:C")
    new, old = knowing(*labels, seed=3), knowing(*labels, seed=4)
    every = chains("wake", labels, 12)
    scores = [m.log_probability(m.encode(["wake"]), [every])[0] for m in (new, old)]

    found = answers(new.mixture(1 - weight, [(weight, old)]), ["wake"])

    total = (1 - weight) * scores[0] + weight * scores[1]
    assert found == [every[int(np.argmax(total))]]


def test_intents_and_slots_in_another_order_are_mixed_by_name() -> None:
    new = knowing("IN:A", "IN:B", "SL:C", seed=3)
    more = knowing("IN:AA", "IN:B", "SL:C", "IN:A", seed=4)

    found = answers(new.mixture(0.0, [(1.0, more)]), ["wake"])[0]

    every = chains("wake", new.labels, 12)
    nats = more.log_probability(more.encode(["wake"]), [every])[0]
    assert found == every[int(np.argmax(nats))]


def test_an_intent_that_the_other_does_not_know_stays_possible() -> None:
    old = knowing("IN:A", "SL:C", seed=4)
    models = [knowing("IN:A", "IN:NEW", "SL:C", seed=seed) for seed in range(20)]
    news = [m for m in models if answers(m, ["wake"])[0].startswith("[IN:NEW")]
    assert news

    for new in news:
        mixture = new.mixture(0.999, [(0.001, old)])
        assert answers(mixture, ["wake"]) == answers(new, ["wake"])
