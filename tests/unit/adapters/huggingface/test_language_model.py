"""Likelihoods of documents, against the logits of transformers themselves."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import compat_eval
from compat_eval.adapters.huggingface.source import open_source
from compat_eval.adapters.options import ModelOptions
from compat_eval.core.errors import ModelError
from compat_eval.core.protocols import Encodes, GivesLikelihood, GivesTokenScores
from tests.unit.adapters.conftest import WORDS
from tests.unit.adapters.tiny_gpt import CONTEXT, make_tiny_gpt

pytestmark = pytest.mark.torch

FIXTURES = Path(__file__).with_name("fixtures")
N_POSITIONS, END = 16, 1
DOCUMENTS = ["please play some rock music", "what", "", "book a table for two"]
LONG = " ".join(WORDS[i % len(WORDS)] for i in range(0, 100, 3))  # 34 tokens


@pytest.fixture(scope="session")
def gpt(causal_factory: Callable[..., Path]) -> Path:
    return causal_factory()


def log_p(directory: Path, ids: list[int]) -> list[float]:
    """Return log p of each token but the first, with logits of the whole text."""
    if len(ids) < 2:
        return []
    import torch
    from transformers import AutoModelForCausalLM

    auto: Any = AutoModelForCausalLM
    network = auto.from_pretrained(directory).eval()
    with torch.no_grad():
        logits = network(torch.tensor([ids[:-1]])).logits[0].log_softmax(-1)
    return [float(logits[at, token]) for at, token in enumerate(ids[1:])]


def tokens(directory: Path, text: str) -> list[int]:
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(directory)
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    return [tokenizer.bos_token_id, *ids]


def test_it_is_a_model_that_tells_likelihoods(gpt: Path) -> None:
    source = open_source(str(gpt), ModelOptions())
    model = source.load()

    assert isinstance(model, GivesLikelihood)
    assert isinstance(model, Encodes)
    assert source.describe()["labels"] is None


def test_likelihoods_are_those_of_the_whole_logits(gpt: Path) -> None:
    model: Any = open_source(str(gpt), ModelOptions()).load()

    nats, n_tokens = model.log_likelihood(model.encode(DOCUMENTS))

    expected = [sum(log_p(gpt, tokens(gpt, text))) for text in DOCUMENTS]
    assert nats == pytest.approx(expected, abs=1e-5)
    assert n_tokens.tolist() == [5, 1, 0, 5]


def by_windows(directory: Path, ids: list[int], longest: int, stride: int) -> float:
    """Return the sum over windows that are written out: the first one, then others."""
    n = len(ids)
    found, done = log_p(directory, ids[: longest + 1]), min(longest + 1, n)
    while done < n:
        end = min(done + stride, n)
        found += log_p(directory, ids[end - 1 - longest : end])[done - end :]
        done = end
    assert len(found) == n - 1
    return sum(found)


@pytest.mark.parametrize("stride", [None, 1, 5, N_POSITIONS])
def test_a_long_document_is_read_in_windows(gpt: Path, stride: int | None) -> None:
    model: Any = open_source(str(gpt), ModelOptions(stride=stride)).load()

    nats, n_tokens = model.log_likelihood(model.encode([LONG]))

    expected = by_windows(gpt, tokens(gpt, LONG), N_POSITIONS, stride or 8)
    assert n_tokens.tolist() == [34]
    assert nats[0] == pytest.approx(expected, abs=1e-4)


def test_a_document_does_not_depend_on_its_neighbours(gpt: Path) -> None:
    model: Any = open_source(str(gpt), ModelOptions()).load()
    items = model.encode([LONG, *DOCUMENTS])

    together, _ = model.log_likelihood(items)
    alone = [float(model.log_likelihood([item])[0][0]) for item in items]

    assert together == pytest.approx(alone, abs=1e-5)


def test_what_is_no_text_has_no_likelihood(gpt: Path) -> None:
    model: Any = open_source(str(gpt), ModelOptions()).load()

    nats, _ = model.log_likelihood(model.encode(["play", None]))

    assert np.isnan(nats).tolist() == [False, True]


def written(directory: Path, prompt: list[int], n: int) -> list[int]:
    """Return the most probable next tokens, one after the other."""
    import torch
    from transformers import AutoModelForCausalLM

    auto: Any = AutoModelForCausalLM
    network, ids = auto.from_pretrained(directory).eval(), list(prompt)
    with torch.no_grad():
        for _ in range(n):
            ids.append(int(network(torch.tensor([ids])).logits[0, -1].argmax()))
    return ids[len(prompt) :]


def test_an_answer_is_what_it_writes_after_the_question(gpt: Path) -> None:
    from transformers import AutoTokenizer

    model: Any = open_source(str(gpt), ModelOptions()).load()
    questions = ["what is the weather", "play rock", "please play", None]

    together = model.predict(model.encode(questions))["prediction"].to_pylist()

    auto: Any = AutoTokenizer
    tokenizer = auto.from_pretrained(gpt)
    for question, answer in zip(questions[:3], together, strict=False):
        prompt = tokens(gpt, str(question))
        ids = written(gpt, prompt, N_POSITIONS - len(prompt))
        end = ids.index(END) if END in ids else len(ids)
        assert answer == tokenizer.decode(ids[:end]).strip()
        assert (
            model.predict(model.encode([question]))["prediction"][0].as_py() == answer
        )
    assert together[3] is None
    assert model.predict([]).num_rows == 0


def test_a_long_question_is_read_from_its_end_on(gpt: Path) -> None:
    model: Any = open_source(str(gpt), ModelOptions()).load()

    assert (
        len(model.predict(model.encode([LONG]))["prediction"][0].as_py().split()) <= 1
    )


def test_answers_are_as_probable_as_their_tokens(gpt: Path) -> None:
    model: Any = open_source(str(gpt), ModelOptions()).load()
    questions = ["what is the weather", "play rock"]
    choices = [["rock", "a table"], ["music"]]

    found = model.log_probability(model.encode(questions), choices)

    for question, answers, log_ps in zip(questions, choices, found, strict=True):
        for answer, log_p_found in zip(answers, log_ps, strict=True):
            whole = log_p(gpt, tokens(gpt, f"{question} {answer}"))
            n = len(answer.split())
            assert log_p_found == pytest.approx(sum(whole[-n:]), abs=1e-5)
    assert model.log_probability([], []) == []


def test_a_head_that_is_more_than_a_layer_is_refused(
    gpt: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import GPT2LMHeadModel

    plain = GPT2LMHeadModel.forward

    def scaled(self: Any, *args: Any, **kwargs: Any) -> Any:
        found = plain(self, *args, **kwargs)
        found.logits = found.logits * 2
        return found

    monkeypatch.setattr(GPT2LMHeadModel, "forward", scaled)
    with pytest.raises(ModelError, match="another way than by one layer"):
        open_source(str(gpt), ModelOptions()).load()


def test_two_models_are_compared_on_documents_and_answers_are_kept(
    gpt: Path,
    causal_factory: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COMPAT_EVAL_CACHE", str(tmp_path / "cache"))
    sides = f"hf:{gpt}", f"hf:{causal_factory(seed=1)}"

    found = compat_eval.compare(*sides, suite="library-desk-documents")
    again = compat_eval.compare(*sides, suite="library-desk-documents")

    old = found.judged.statistics["perplexity"].old
    assert old is not None
    assert 1 < old.value < math.inf
    assert sum(found.judged.levels["document"].counts.values()) == 36
    assert again.to_dict() == found.to_dict()


def test_tokens_are_ranked_as_whole_logits_rank_them(gpt: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    auto: Any = AutoModelForCausalLM
    network = auto.from_pretrained(gpt).eval()
    model: Any = open_source(str(gpt), ModelOptions()).load()
    ids = tokens(gpt, DOCUMENTS[0])
    with torch.no_grad():
        logits = network(torch.tensor([ids])).logits[0, :-1]

    found = model.token_scores(model.encode(DOCUMENTS))

    own = logits[torch.arange(len(ids) - 1), ids[1:]]
    assert isinstance(model, GivesTokenScores)
    assert found.top[:5].tolist() == logits.argmax(1).tolist()
    assert found.ranks[:5].tolist() == (1 + (logits > own[:, None]).sum(1)).tolist()


def test_a_network_that_sees_what_stands_behind_is_refused(
    gpt: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import GPT2Model

    plain = GPT2Model.forward

    def both_ways(self: Any, *args: Any, **kwargs: Any) -> Any:
        found = plain(self, *args, **kwargs)
        states = found.last_hidden_state
        found.last_hidden_state = states + states.mean(dim=1, keepdim=True)
        return found

    monkeypatch.setattr(GPT2Model, "forward", both_ways)
    with pytest.raises(ModelError, match="sees the tokens behind"):
        open_source(str(gpt), ModelOptions()).load()


def test_a_stride_of_more_than_a_window_is_refused(gpt: Path) -> None:
    with pytest.raises(ModelError, match="at most 16; got 17"):
        open_source(str(gpt), ModelOptions(stride=17)).load()


def test_the_stride_belongs_to_the_fingerprint(gpt: Path) -> None:
    plain, other = (
        open_source(str(gpt), ModelOptions(stride=stride)) for stride in (None, 4)
    )

    assert plain.fingerprint() != other.fingerprint()
    assert other.describe()["stride"] == 4


def test_long_documents_cost_what_lm_eval_says_they_do(tmp_path: Path) -> None:
    """The fixture is made by benchmarks/lm_eval_likelihoods.py with lm-eval itself."""
    said = json.loads((FIXTURES / "lm_eval.json").read_text("utf-8"))
    directory = make_tiny_gpt(tmp_path / "gpt")
    model: Any = open_source(str(directory), ModelOptions(stride=CONTEXT)).load()

    nats, n_tokens = model.log_likelihood(model.encode(said["texts"]))

    assert nats == pytest.approx(said["log_likelihoods"], abs=1e-4, rel=1e-6)
    assert n_tokens.tolist() == [len(text.encode()) for text in said["texts"]]
