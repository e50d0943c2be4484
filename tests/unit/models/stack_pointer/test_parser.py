import itertools
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from compat_eval.core.errors import UsageError
from compat_eval.core.protocols import Encodes, Predicts, Proposes, Scores
from compat_eval.mitigations.combine.bcr import backward_congruent
from compat_eval.models.decoding.search import beam_search, picked
from compat_eval.models.parsing.batching import batch_of
from compat_eval.models.parsing.training import save
from compat_eval.models.stack_pointer.actions import Actions, PaddedActions, actions_of
from compat_eval.models.stack_pointer.parser import StackPointerParser, load
from tests.unit.models.parser_toys import (
    sentence,
    tree,
    untrained,
    untrained_pointer,
)

Step: TypeAlias = tuple[int, int, int, int]

PARSER = untrained_pointer()
INPUTS = [
    sentence("a1/ADJ", "n1/NOUN", "v2/VERB", "r1/ADV"),
    sentence("n3/NOUN", "v1/VERB"),
    sentence("v4/VERB"),
    sentence("strange/X", "n1/NOUN", "n1/NOUN", "v1/VERB", "v1/VERB", "a2/ADJ"),
]
ITEMS = PARSER.encode(INPUTS)
THREE = sentence("a1/ADJ", "n1/NOUN", "v2/VERB")


def sequences(n: int) -> list[Actions]:
    """Return all ways to build a tree of n words with one root, in any order."""

    def go_on(stack: list[int], heads: dict[int, int], steps: list[Step]) -> None:
        if not stack:
            found.append(steps)
            return
        top = stack[-1]
        before = [step[1] for step in steps if step[0] == top != step[1]]
        here = (before[-1] if before else 0, heads.get(top, 0))
        if len(heads) == n or (top and heads[top]):
            go_on(stack[:-1], heads, [*steps, (top, top, *here)])
        for word in range(1, n + 1):
            if word not in heads and (top or not heads):
                step = (top, word, *here)
                go_on([*stack, word], {**heads, word: top}, [*steps, step])

    found: list[list[Step]] = []
    go_on([0], {}, [])
    columns = [np.array(steps).T for steps in found]
    return [
        Actions(top=c[0], pointed=c[1], sibling=c[2], grandparent=c[3]) for c in columns
    ]


def nats_of(parser: StackPointerParser, actions: list[Actions]) -> torch.Tensor:
    """Return log p of sequences with every choice of relations, (n, 4 ** 3)."""
    batch = batch_of(parser.encode([THREE]), torch.device("cpu"))
    every = list(itertools.product(range(len(parser.labels)), repeat=3))
    labels = [np.array([0, *one]) for one in every]
    with torch.no_grad():
        memory = parser.network.encode(batch)
        rows = torch.zeros(len(labels), dtype=torch.long)
        found = []
        for one in actions:
            steps = PaddedActions.of([one] * len(labels), labels, rows.device, width=4)
            found.append(parser.network.step_nats(picked(memory, rows), steps).sum(-1))
    return torch.stack(found)


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def answers(parser: StackPointerParser, inputs: list[Any]) -> list[Any]:
    found: list[Any] = parser.predict(parser.encode(inputs))["prediction"].to_pylist()
    return found


def test_it_has_the_capabilities_that_mitigations_ask_for() -> None:
    for capability in (Encodes, Predicts, Proposes, Scores):
        assert isinstance(PARSER, capability)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_probabilities_of_all_ways_to_build_a_tree_sum_to_one(seed: int) -> None:
    nats = nats_of(untrained_pointer(seed), sequences(3))

    # Nine trees; three of them have two children of one word, in either order.
    assert nats.shape == (12, 4**3)
    assert nats.exp().sum().item() == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_wide_beam_finds_the_most_probable_way(seed: int) -> None:
    parser = untrained_pointer(seed, beam=100)

    builder = parser.builder([(1.0, parser, parser.encode([THREE]))])
    with torch.inference_mode():
        found = beam_search(builder, 100)

    nats = nats_of(parser, sequences(3))
    assert found.nats[0, 0].item() == pytest.approx(nats.max().item(), abs=1e-4)
    best = nats.max(dim=1).values.sort(descending=True).values
    there = found.nats[0, :12]
    assert there.tolist() == pytest.approx(best.tolist(), abs=1e-4)
    assert found.nats[0, 12:].isneginf().all()


def test_log_probability_is_that_of_the_inside_out_actions() -> None:
    answer = tree([2, 0, 2], "amod", "root", "advmod")
    labels = [PARSER.labels.index(name) for name in answer["deprels"]]
    which = [*itertools.product(range(4), repeat=3)].index(tuple(labels))

    nats = PARSER.log_probability(PARSER.encode([THREE]), [[answer]])[0]

    inside_out = nats_of(PARSER, [actions_of([2, 0, 2])])[0, which]
    assert nats.tolist() == pytest.approx([inside_out.item()], abs=1e-4)


def test_every_answer_is_a_tree_with_one_root() -> None:
    proposed = PARSER.propose(ITEMS, k=10, rng=rng())

    for heads in (one["heads"] for of_one in proposed for one in of_one):
        assert heads.count(0) == 1
        for word in range(1, len(heads) + 1):
            at = word
            for _ in heads:
                at = heads[at - 1] if at else 0
            assert at == 0


@settings(deadline=None, max_examples=15)
@given(st.permutations(range(4)), st.integers(1, 4))
def test_an_answer_does_not_depend_on_its_neighbours(
    order: list[int], together: int
) -> None:
    rows = order[:together]

    batched = PARSER.best_answers([ITEMS[row] for row in rows], 1)

    assert batched == [PARSER.best_answers([ITEMS[row]], 1)[0] for row in rows]


def test_a_score_does_not_depend_on_its_neighbours() -> None:
    trees = PARSER.propose(ITEMS, k=3, rng=rng())

    together = PARSER.log_probability(ITEMS, trees)

    for item, of_one, nats in zip(ITEMS, trees, together, strict=True):
        alone = PARSER.log_probability([item], [of_one])[0]
        assert nats == pytest.approx(alone, abs=1e-4)


def test_no_sentence_and_an_empty_sentence_have_answers() -> None:
    empty: dict[str, list[Any]] = {"heads": [], "deprels": []}
    nothing = PARSER.encode([sentence()])

    assert answers(PARSER, []) == []
    assert PARSER.log_probability([], []) == []
    assert answers(PARSER, [sentence(), INPUTS[1]])[0] == empty
    assert PARSER.log_probability(nothing, [[empty]])[0].tolist() == [0.0]


@pytest.mark.parametrize(
    "answer",
    [
        tree([2, 0], "nsubj", "who-knows"),
        tree([2], "nsubj"),
        tree([2, 1], "nsubj", "root"),
        tree([0, 0], "root", "root"),
        tree([9, 0], "nsubj", "root"),
        tree([1, 0], "nsubj", "root"),
        None,
    ],
)
def test_what_it_cannot_answer_has_minus_infinity(answer: object) -> None:
    gold = tree([2, 0], "nsubj", "root")

    nats = PARSER.log_probability(ITEMS[1:2], [[answer, gold, answer]])[0]

    assert np.isneginf(nats).tolist() == [True, False, True]


def test_dropout_samples_are_seeded_and_leave_no_trace() -> None:
    before, state = answers(PARSER, INPUTS), torch.random.get_rng_state()
    proposer = PARSER.proposer("dropout-p", p=0.4)

    once = proposer.propose(ITEMS, k=4, rng=rng())

    assert once == proposer.propose(ITEMS, k=4, rng=rng())
    alone = [proposer.propose([item], k=4, rng=rng())[0] for item in ITEMS]
    assert once == alone
    assert len({str(one) for one in once[3]}) > 1
    assert answers(PARSER, INPUTS) == before
    assert torch.equal(torch.random.get_rng_state(), state)


def test_without_dropout_every_sample_is_the_answer() -> None:
    samples = PARSER.proposer("dropout-p", p=0.0).propose(ITEMS, k=2, rng=rng())

    assert samples == [[answer] * 2 for answer in answers(PARSER, INPUTS)]


def test_it_has_a_beam_and_no_exact_candidates() -> None:
    with pytest.raises(UsageError, match="'k-best'; there are beam, top-k, top-p"):
        PARSER.proposer("k-best")


def test_a_parser_of_another_kind_re_ranks_it() -> None:
    old = untrained(3)
    model = backward_congruent(old, PARSER, generator="beam", k=5)
    items = model.encode(INPUTS)

    picked = model.predict(items)["prediction"].to_pylist()

    candidates = PARSER.propose(ITEMS, k=5, rng=rng())
    liked = old.log_probability(old.encode(INPUTS), candidates)
    for answer, of_one, nats in zip(picked, candidates, liked, strict=True):
        assert nats[of_one.index(answer)] == nats.max()


def test_a_saved_parser_answers_as_before(tmp_path: Path) -> None:
    save("stack-pointer", PARSER.network, PARSER.vocabulary, tmp_path)

    loaded = load(tmp_path, labels=PARSER.labels, device="cpu")

    assert answers(loaded, INPUTS) == answers(PARSER, INPUTS)


@pytest.mark.parametrize(
    ("generator", "options"), [("top-k", {"top": 3}), ("top-p", {"p": 0.9})]
)
def test_drawn_trees_are_trees_by_seed_and_not_by_neighbour(
    generator: str, options: dict[str, Any]
) -> None:
    proposer = PARSER.proposer(generator, **options)

    once = proposer.propose(ITEMS, k=5, rng=rng())

    assert once == proposer.propose(ITEMS, k=5, rng=rng())
    assert once == [proposer.propose([item], k=5, rng=rng())[0] for item in ITEMS]
    assert [trees[:2] for trees in once] == proposer.propose(ITEMS, k=2, rng=rng())
    assert len({str(one) for one in once[3]}) > 1
    scores = PARSER.log_probability(ITEMS, once)
    assert all(len(one) == 5 and np.isfinite(one).all() for one in scores)
    assert all(one["heads"].count(0) == 1 for of_one in once for one in of_one)
    assert proposer.propose([], k=5, rng=rng()) == []


def test_the_most_probable_action_alone_is_drawn_like_a_beam_of_one() -> None:
    greedy = untrained_pointer(beam=1)

    drawn = PARSER.proposer("top-k", top=1).propose(ITEMS, k=2, rng=rng())

    for trees, best in zip(drawn, answers(greedy, INPUTS), strict=True):
        # A beam of one weighs pointing and relation together, a draw one by one.
        assert trees[0] == trees[1]
        assert len(trees[0]["heads"]) == len(best["heads"])


def test_drawn_trees_are_as_frequent_as_they_are_probable() -> None:
    item = PARSER.encode([sentence("n1/NOUN", "v1/VERB")])

    drawn = PARSER.proposer("top-p", p=1.0).propose(item, k=4000, rng=rng())[0]

    answer = max(drawn, key=drawn.count)
    nats = PARSER.log_probability(item, [[answer]])[0][0]
    share = drawn.count(answer) / 4000
    assert share == pytest.approx(np.exp(nats), abs=0.035)


def test_a_shared_encoder_thins_only_what_comes_behind_it() -> None:
    proposer = PARSER.proposer("dropout-p", p=0.4, shared_encoder=True)

    once = proposer.propose(ITEMS, k=4, rng=rng())

    alone = [proposer.propose([item], k=4, rng=rng())[0] for item in ITEMS]
    assert once == alone
    assert len({str(one) for one in once[3]}) > 1
    assert once != PARSER.proposer("dropout-p", p=0.4).propose(ITEMS, k=4, rng=rng())


@pytest.mark.parametrize(
    ("generator", "options", "message"),
    [
        ("top-k", {"top": 0}, "at least 1 choice, got 0"),
        ("top-p", {"p": 0.0}, r"p must be in \(0, 1\], got 0.0"),
        ("top-p", {"k": 3}, "generator top-p has no option 'k'; known: p"),
    ],
)
def test_generators_know_their_options(
    generator: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        PARSER.proposer(generator, **options)
