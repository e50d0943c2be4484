import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

from compat_eval.core.errors import DataError, ModelError, UsageError
from compat_eval.core.protocols import (
    Encodes,
    HasWeights,
    Predicts,
    Proposes,
    Scores,
)
from compat_eval.models.biaffine.parser import BiaffineParser, load
from compat_eval.models.parsing.batching import SentenceBatch
from compat_eval.models.parsing.dropout import Samples
from compat_eval.models.parsing.sentence import Tree
from compat_eval.models.parsing.training import save
from tests.unit.models.parser_toys import sentence, tree, untrained

PARSER = untrained()
INPUTS = [
    sentence("a1/ADJ", "n1/NOUN", "v2/VERB", "r1/ADV"),
    sentence("n3/NOUN", "v1/VERB"),
    sentence("v4/VERB"),
    sentence("strange/X", "n1/NOUN", "n1/NOUN", "v1/VERB", "v1/VERB", "a2/ADJ"),
]
ITEMS = PARSER.encode(INPUTS)


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def answers(parser: BiaffineParser, inputs: list[Any]) -> list[Any]:
    found: list[Any] = parser.predict(parser.encode(inputs))["prediction"].to_pylist()
    return found


def test_it_has_the_capabilities_that_mitigations_ask_for() -> None:
    for capability in (Encodes, Predicts, Proposes, Scores):
        assert isinstance(PARSER, capability)


def test_every_answer_is_a_tree_with_one_root() -> None:
    for heads in (answer["heads"] for answer in answers(PARSER, INPUTS)):
        assert heads.count(0) == 1
        for word in range(1, len(heads) + 1):
            at = word
            for _ in heads:
                at = heads[at - 1] if at else 0
            assert at == 0


@settings(deadline=None, max_examples=20)
@given(st.permutations(range(4)), st.integers(1, 4))
def test_an_answer_does_not_depend_on_its_neighbours(
    order: list[int], together: int
) -> None:
    rows = order[:together]

    batched = PARSER.labelled_arcs([ITEMS[row] for row in rows])

    for at, row in enumerate(rows):
        alone = PARSER.labelled_arcs([ITEMS[row]]).scores[0]
        n = len(ITEMS[row]) - 1
        near = torch.allclose(batched.scores[at, :n, : n + 1], alone, atol=1e-4)
        assert near, f"sentence {row} among {rows}"


def test_no_sentence_and_an_empty_sentence_have_answers() -> None:
    assert answers(PARSER, []) == []
    empty: dict[str, list[Any]] = {"heads": [], "deprels": []}
    assert answers(PARSER, [sentence(), INPUTS[1]])[0] == empty
    assert PARSER.propose(PARSER.encode([sentence()]), k=2, rng=rng()) == [[empty] * 2]
    scores = PARSER.log_probability(PARSER.encode([sentence()]), [[empty]])
    assert scores[0].tolist() == [0.0]


def test_a_sentence_of_400_words_is_parsed() -> None:
    long = sentence(*["n1/NOUN", "v1/VERB"] * 200)

    assert len(answers(PARSER, [long])[0]["heads"]) == 400


def test_an_input_of_another_task_is_refused() -> None:
    with pytest.raises(DataError, match="'words' and 'upos'"):
        PARSER.encode(["Dogs bark."])


def test_the_answer_is_the_first_of_the_k_best() -> None:
    candidates = PARSER.propose(ITEMS, k=3, rng=rng())

    assert [best[0] for best in candidates] == answers(PARSER, INPUTS)


def test_the_k_best_are_ordered_by_log_probability() -> None:
    candidates = PARSER.propose(ITEMS[:2], k=8, rng=rng())

    for scores in PARSER.log_probability(ITEMS[:2], candidates):
        assert scores.tolist() == sorted(scores.tolist(), reverse=True)


def test_where_there_are_fewer_trees_the_best_one_fills_up() -> None:
    n_labels = len(PARSER.labels)
    only = PARSER.propose(ITEMS[2:3], k=n_labels + 2, rng=rng())[0]

    assert len(only) == n_labels + 2
    assert only[-2:] == [only[0]] * 2
    assert len({one["deprels"][0] for one in only}) == n_labels


def test_log_probability_adds_up_the_table() -> None:
    gold = tree([2, 0], "nsubj", "root")
    table = PARSER.labelled_arcs(ITEMS[1:2]).scores[0]
    nsubj, root = (PARSER.labels.index(name) for name in ("nsubj", "root"))

    nats = PARSER.log_probability(ITEMS[1:2], [[gold]])[0][0]

    expected = table[0, 2, nsubj].double() + table[1, 0, root].double()
    assert nats == pytest.approx(expected.item())


@pytest.mark.parametrize(
    "answer",
    [
        tree([2, 0], "nsubj", "who-knows"),
        tree([2], "nsubj"),
        tree([1, 0], "nsubj", "root"),
        tree([9, 0], "nsubj", "root"),
        tree([-1, 0], "nsubj", "root"),
        {"heads": [2, 0], "deprels": ["nsubj", None]},
        {"heads": [None, 0], "deprels": ["nsubj", "root"]},
        None,
        "a label",
    ],
)
def test_what_it_cannot_answer_has_minus_infinity(answer: object) -> None:
    assert PARSER.log_probability(ITEMS[1:2], [[answer]])[0].tolist() == [-np.inf]


def test_dropout_samples_have_seeds_of_their_own() -> None:
    proposer = PARSER.proposer("dropout-p", p=0.5)

    once = proposer.propose(ITEMS, k=6, rng=rng())
    again = proposer.propose(ITEMS, k=6, rng=rng())

    assert once == again
    assert len({str(candidate) for candidate in once[0]}) > 1


def test_a_dropout_sample_does_not_depend_on_its_neighbours() -> None:
    proposer = PARSER.proposer("dropout-p", p=0.3)

    together = proposer.propose(ITEMS, k=4, rng=rng())

    alone = [proposer.propose([item], k=4, rng=rng())[0] for item in ITEMS]
    assert together == alone


def test_fewer_samples_are_the_first_of_more() -> None:
    proposer = PARSER.proposer("dropout-p", p=0.3)

    few = proposer.propose(ITEMS, k=2, rng=rng())

    assert few == [c[:2] for c in proposer.propose(ITEMS, k=5, rng=rng())]


def test_without_dropout_every_sample_is_the_answer() -> None:
    samples = PARSER.proposer("dropout-p", p=0.0).propose(ITEMS, k=3, rng=rng())

    assert samples == [[answer] * 3 for answer in answers(PARSER, INPUTS)]


def test_sampling_leaves_no_trace() -> None:
    before = answers(PARSER, INPUTS)
    state = torch.random.get_rng_state()

    PARSER.dropout_answers(ITEMS, Samples(p=0.9, seeds=(1,)))

    assert answers(PARSER, INPUTS) == before
    assert torch.equal(torch.random.get_rng_state(), state)
    assert not PARSER.network.training


@pytest.mark.parametrize(
    ("generator", "options", "message"),
    [
        ("top-p", {}, "no generator 'top-p'; there are k-best, dropout-p"),
        ("dropout-p", {"p": 1.0}, r"p must be in \[0, 1\), got 1.0"),
        ("k-best", {"p": 0.1}, "generator k-best has no option 'p'; known: none"),
        ("dropout-p", {"q": 1}, "no option 'q'; known: p, shared_encoder"),
        ("dropout-p", {"p": "wide"}, "generator dropout-p cannot take p='wide'"),
    ],
)
def test_generators_know_their_options(
    generator: str, options: dict[str, float], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        PARSER.proposer(generator, **options)


def test_a_saved_parser_answers_as_before_without_pickle(tmp_path: Path) -> None:
    save("biaffine", PARSER.network, PARSER.vocabulary, tmp_path)

    loaded = load(tmp_path, labels=PARSER.labels, device="cpu")

    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "config.json",
        "model.safetensors",
    ]
    assert answers(loaded, INPUTS) == answers(PARSER, INPUTS)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["compat_eval"] == {"kind": "biaffine", "schema_version": 1}
    assert config["labels"] == list(PARSER.labels)


def test_weights_of_another_size_are_refused(tmp_path: Path) -> None:
    save("biaffine", PARSER.network, PARSER.vocabulary, tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config["sizes"]["arc_width"] += 1
    (tmp_path / "config.json").write_text(json.dumps(config))

    with pytest.raises(ModelError, match="has the shape"):
        load(tmp_path, labels=PARSER.labels, device="cpu")


def test_relations_may_be_renamed_when_loading(tmp_path: Path) -> None:
    save("biaffine", PARSER.network, PARSER.vocabulary, tmp_path)
    renamed = tuple(label.upper() for label in PARSER.labels)

    loaded = load(tmp_path, labels=renamed, device="cpu")

    lower = [Tree.of(a).deprels for a in answers(PARSER, INPUTS)]
    upper = [Tree.of(a).deprels for a in answers(loaded, INPUTS)]
    assert upper == [tuple(name.upper() for name in one) for one in lower]
    assert set(load_file(tmp_path / "model.safetensors")) == set(
        PARSER.network.state_dict()
    )


def test_a_shared_encoder_thins_only_what_comes_behind_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    proposer = PARSER.proposer("dropout-p", p=0.3, shared_encoder=True)
    calls: list[int] = []
    encoder = PARSER.network.encoder

    def counted(batch: SentenceBatch) -> torch.Tensor:
        calls.append(1)
        return type(encoder).forward(encoder, batch)

    monkeypatch.setattr(encoder, "forward", counted)

    once = proposer.propose(ITEMS, k=4, rng=rng())

    assert len(calls) == 1
    assert once == [proposer.propose([item], k=4, rng=rng())[0] for item in ITEMS]
    assert [c[:2] for c in once] == proposer.propose(ITEMS, k=2, rng=rng())
    assert len({str(one) for one in once[3]}) > 1
    full = PARSER.proposer("dropout-p", p=0.3)
    assert once != full.propose(ITEMS, k=4, rng=rng())


def test_a_shared_encoder_without_dropout_gives_the_answer() -> None:
    proposer = PARSER.proposer("dropout-p", p=0.0, shared_encoder=True)

    samples = proposer.propose(ITEMS, k=3, rng=rng())

    assert samples == [[answer] * 3 for answer in answers(PARSER, INPUTS)]


def test_other_weights_are_kept_and_opened_again(tmp_path: Path) -> None:
    parser = untrained()
    assert isinstance(parser, HasWeights)
    halved = parser.with_weights({k: v / 2 for k, v in parser.weights.items()})

    halved.save(tmp_path)
    found = load(tmp_path, labels=parser.labels, device="cpu")

    assert found.built_as == parser.built_as
    assert all((v == halved.weights[k]).all() for k, v in found.weights.items())
    axis = parser.label_axes["label"]
    assert parser.weights["label"].shape[axis] == len(parser.labels)
