from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from compat_eval.core.errors import CompatEvalError, UsageError
from compat_eval.core.examples import Examples
from compat_eval.core.protocols import (
    Encodes,
    HasGenerators,
    Predicts,
    Proposes,
    Scores,
)
from compat_eval.mitigations.combine.bcr import backward_congruent
from compat_eval.models.parsing.dropout import Samples
from compat_eval.models.tree_seq2seq.parser import load, save_model
from compat_eval.models.tree_seq2seq.reading import words_of
from compat_eval.models.tree_seq2seq.training import ParsedUtterances, WrittenTrees
from compat_eval.tasks.semantic.trees import Node, bracketed, parse_tree
from compat_eval.testing.models import check_model
from tests import fakes
from tests.unit.models.seq2seq_toys import untrained

MODEL = untrained()
INPUTS = [
    "wake me day1.",
    "call",
    "tell Name3 wake me day2 please and go on for a while",
    "something strange",
]
ITEMS = MODEL.encode(INPUTS)


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def answers(model: Predicts, inputs: list[str]) -> list[str]:
    assert isinstance(model, Encodes)
    found: list[str] = model.predict(model.encode(inputs))["prediction"].to_pylist()
    return found


def leaves(node: Node) -> list[str]:
    found: list[str] = []
    for child in node.children:
        found += leaves(child) if isinstance(child, Node) else [child]
    return found


@pytest.mark.parametrize(
    "word", ["मुझे", "तुमको", "ฉัน", "ที่", "می\u200cخواهم", "e\u0301te\u0301"]
)
def test_words_with_marks_are_read_and_written_whole(word: str) -> None:
    gold = f"[IN:CALL call [SL:WHO {word} ] ]"
    data = fakes.examples(id=["a"], input=[f"call {word}"], gold=[gold])

    model = untrained(examples=data)
    written = WrittenTrees.of(ParsedUtterances.of(data), model.reader, model.labels)
    [answer] = answers(model, [f"call {word}"])

    assert written.n_left_out == 0
    tree = parse_tree(answer)
    assert tree is not None
    assert leaves(tree) == ["call", word]


def test_an_utterance_that_no_tree_can_hold_is_its_own_error() -> None:
    with pytest.raises(ValueError, match="would close a label") as told:
        MODEL.encode(["call", "[call] Name3"])

    assert not isinstance(told.value, CompatEvalError)


def chains(word: str, labels: tuple[str, ...], depth: int) -> list[str]:
    """Return all trees over one word, up to a depth; intents and slots in turn."""

    def below(kind: str, room: int) -> list[str]:
        other = "SL:" if kind == "IN:" else "IN:"
        inner = [word, *(below(other, room - 1) if room > 1 else [])]
        return [
            f"[{label} {one} ]"
            for label in labels
            if label.startswith(kind)
            for one in inner
        ]

    return below("IN:", depth)


def test_it_has_the_capabilities_that_mitigations_ask_for() -> None:
    for capability in (Encodes, Predicts, Proposes, Scores, HasGenerators):
        assert isinstance(MODEL, capability)


def test_it_passes_the_checks_of_a_model() -> None:
    check_model(MODEL, INPUTS)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("generator", ["beam", "top-k", "top-p", "dropout-p"])
def test_every_candidate_is_a_tree_over_the_words(seed: int, generator: str) -> None:
    model = untrained(seed)
    proposed = model.proposer(generator).propose(model.encode(INPUTS), k=5, rng=rng())

    for utterance, of_one in zip(INPUTS, proposed, strict=True):
        assert len(of_one) == 5
        for text in of_one:
            tree = parse_tree(text)
            assert tree is not None
            assert bracketed(tree) == text
            assert leaves(tree) == list(words_of(utterance))


@pytest.mark.parametrize("seed", [0, 1])
def test_probabilities_of_all_trees_sum_to_one(seed: int) -> None:
    """All trees over one word; nothing is deeper than 12 labels."""
    model = untrained(seed, fewer_labels())
    every = chains("wake", model.labels, 12)

    nats = model.log_probability(model.encode(["wake"]), [every])[0]

    assert len(every) == sum(2 ** ((depth + 1) // 2) for depth in range(1, 13))
    assert np.exp(nats).sum() == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_wide_beam_finds_the_most_probable_tree(seed: int) -> None:
    model = untrained(seed, fewer_labels())
    every = chains("wake", model.labels, 12)
    item = model.encode(["wake"])
    nats = model.log_probability(item, [every])[0]

    found = model.beam_texts(item, 30)[0]

    assert found[0] == every[int(nats.argmax())]
    ranked = model.log_probability(item, [found])[0]
    assert (np.diff(ranked) <= 1e-5).all()
    assert len(set(found)) == len(found)


def fewer_labels() -> Examples:
    gold = ["[IN:A wake [SL:C me ] ]", "[IN:B wake me ]"]
    return fakes.examples(id=["a", "b"], input=["wake me"] * 2, gold=gold)


@settings(deadline=None, max_examples=15)
@given(st.permutations(range(4)), st.integers(1, 4))
def test_an_answer_does_not_depend_on_its_neighbours(
    order: list[int], together: int
) -> None:
    rows = order[:together]

    batched = MODEL.beam_texts([ITEMS[row] for row in rows], 3)

    assert batched == [MODEL.beam_texts([ITEMS[row]], 3)[0] for row in rows]


@pytest.mark.parametrize("generator", ["top-k", "top-p", "dropout-p"])
def test_samples_are_seeded_alone_or_together_and_leave_no_trace(
    generator: str,
) -> None:
    before, state = answers(MODEL, INPUTS), torch.random.get_rng_state()
    proposer = MODEL.proposer(
        generator, **{"top-k": {"top": 5}}.get(generator, {"p": 0.5})
    )

    once = proposer.propose(ITEMS, k=4, rng=rng())

    assert once == proposer.propose(ITEMS, k=4, rng=rng())
    assert once == [proposer.propose([item], k=4, rng=rng())[0] for item in ITEMS]
    assert once != proposer.propose(ITEMS, k=4, rng=np.random.default_rng(8))
    assert len(set(once[2])) > 1
    assert answers(MODEL, INPUTS) == before
    assert torch.equal(torch.random.get_rng_state(), state)
    assert not any(module.training for module in MODEL.network.modules())


@pytest.mark.parametrize(
    ("generator", "options"),
    [("dropout-p", {"p": 0.0}), ("top-k", {"top": 1}), ("top-p", {"p": 1e-9})],
)
def test_without_chance_every_sample_is_the_answer(
    generator: str, options: dict[str, float]
) -> None:
    samples = MODEL.proposer(generator, **options).propose(ITEMS, k=2, rng=rng())

    assert samples == [[answer] * 2 for answer in answers(MODEL, INPUTS)]


def test_dropout_thins_the_encoder_too() -> None:
    sentences = [item.sentence for item in ITEMS]

    plain = MODEL.network.encode(ITEMS)
    with Samples(p=0.5, seeds=(1,)).switched_on(MODEL.network, sentences):
        thinned = MODEL.network.encode(ITEMS)

    assert not torch.equal(plain.states, thinned.states)
    assert set(thinned.keep_in.flatten().tolist()) == {0.0, 2.0}
    assert torch.equal(plain.keep_in, torch.ones_like(plain.keep_in))


def test_samples_occur_as_often_as_their_probability_says() -> None:
    model = untrained(3, fewer_labels())
    item = model.encode(["wake"])
    drawn = model.proposer("top-p", p=1.0).propose(item, k=3000, rng=rng())[0]

    likely = sorted(set(drawn), key=drawn.count)[-3:]
    shares = np.exp(model.log_probability(item, [likely])[0])
    found = np.array([drawn.count(text) / len(drawn) for text in likely])
    assert found == pytest.approx(shares, abs=0.03)


@pytest.mark.parametrize(
    ("generator", "options", "message"),
    [
        ("k-best", {}, "'k-best'; there are beam, top-k, top-p, dropout-p"),
        ("dropout-p", {"p": 1.0}, r"p must be in \[0, 1\)"),
        ("top-p", {"p": 0.0}, r"p must be in \(0, 1\]"),
        ("top-k", {"top": 0}, "expected at least 1 choice, got 0"),
        ("beam", {"b": 0}, "b must be at least 1"),
        ("beam", {"q": 0}, "generator beam"),
    ],
)
def test_wrong_generators_are_told(
    generator: str, options: dict[str, float], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        MODEL.proposer(generator, **options)


@pytest.mark.parametrize(
    "answer",
    [
        "[IN:WHO_KNOWS call ]",
        "[IN:CALL call",
        "[IN:CALL phone ]",
        "[IN:CALL call call ]",
        "[IN:CALL ]",
        "[SL:WHO call ]",
        "[IN:CALL [IN:CALL call ] ]",
        "[IN:CALL call [SL:WHO ] ]",
        "",
        None,
        3,
    ],
)
def test_what_it_cannot_write_has_minus_infinity(answer: object) -> None:
    gold = "[IN:CALL call ]"

    nats = MODEL.log_probability(ITEMS[1:2], [[answer, gold, answer]])[0]

    assert np.isneginf(nats).tolist() == [True, False, True]


def test_a_score_does_not_depend_on_its_neighbours_or_on_typed_brackets() -> None:
    trees = MODEL.propose(ITEMS, k=3, rng=rng())

    together = MODEL.log_probability(ITEMS, trees)

    for item, of_one, nats in zip(ITEMS, trees, together, strict=True):
        alone = MODEL.log_probability([item], [of_one])[0]
        assert nats == pytest.approx(alone, abs=1e-4)
    typed = MODEL.log_probability(ITEMS[1:2], [["[IN:CALL call IN:CALL]"]])[0]
    plain = MODEL.log_probability(ITEMS[1:2], [["[IN:CALL call ]"]])[0]
    assert typed.tolist() == plain.tolist()


def test_no_utterance_and_an_empty_one_have_answers() -> None:
    assert answers(MODEL, []) == []
    assert MODEL.log_probability([], []) == []
    assert MODEL.log_probability(ITEMS[:1], [[]])[0].tolist() == []
    said = answers(MODEL, ["", INPUTS[1]])[0]
    tree = parse_tree(said)
    assert tree is not None
    assert tree.children == ()
    assert answers(MODEL, ["", INPUTS[1]])[1] == answers(MODEL, [INPUTS[1]])[0]


@pytest.mark.parametrize("generator", ["beam", "top-k", "top-p", "dropout-p"])
def test_bcr_takes_every_generator_with_its_option(generator: str) -> None:
    option = {"beam": {"b": 4}, "top-k": {"top": 3}}.get(generator, {"p": 0.3})
    old = untrained(1)

    model = backward_congruent(old, MODEL, generator=generator, k=4, **option)

    items = model.encode(INPUTS[:1])
    picked = model.predict(items)["prediction"].to_pylist()
    pool = MODEL.proposer(generator, **option).propose(
        ITEMS[:1], k=4, rng=np.random.default_rng(0)
    )[0]
    nats = old.log_probability(ITEMS[:1], [pool])[0]
    assert picked == [pool[int(nats.argmax())]]


def test_the_mean_of_bcr_counts_tokens() -> None:
    old = untrained(1)
    model = backward_congruent(old, MODEL, normalised="mean", k=3)
    items = model.encode(INPUTS[:1])
    candidates = model.candidates(items)

    scores = model.old_scores(items, candidates)[0]

    nats = old.log_probability(ITEMS[:1], candidates)[0]
    n_tokens = [len(text.split()) for text in candidates[0]]
    assert scores == pytest.approx(nats / np.array(n_tokens), abs=1e-5)


def test_a_saved_model_answers_as_before(tmp_path: Path) -> None:
    save_model(MODEL, tmp_path)

    loaded = load(tmp_path, labels=MODEL.labels, device="cpu")

    assert answers(loaded, INPUTS) == answers(MODEL, INPUTS)
