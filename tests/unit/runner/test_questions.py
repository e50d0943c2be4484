"""Every question is asked once a model and example, and refused where it cannot be."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from compat_eval.core.errors import CapabilityError, ModelError
from compat_eval.core.token_scores import TokenScores
from compat_eval.runner.ask import ask
from compat_eval.runner.cache import Cache
from compat_eval.runner.loaded import LoadedModels
from compat_eval.runner.questions import (
    Embed,
    Logits,
    LogLikelihood,
    Predict,
    Propose,
    Question,
    Score,
    values_of,
)
from compat_eval.runner.settings import RunSettings
from tests.fakes import FakeModel, FakeSource, examples
from tests.unit.mitigations.toy_classifiers import ToyClassifier, ToySource

ASKED = examples(id=["e1", "e2", "e3"], input=["one", "two", "one"])
CANDIDATES = pa.chunked_array([[["a", "b"], ["c"], ["z"]]])


class AbleToy(ToyClassifier):
    """A toy that has a vector and a likelihood for each text, too."""

    def embed(self, items: Sequence[Any]) -> Any:
        return np.array([[len(item), item.count("o")] for item in items], np.float64)

    def log_likelihood(self, items: Sequence[Any]) -> Any:
        return np.array([-float(len(item)) for item in items]), [1] * len(items)

    def proposer(self, generator: str, **options: Any) -> "AbleToy":
        assert (generator, options) == ("dropout-p", {"p": 0.5})
        return self


def able() -> ToySource:
    known = {"one": [1.0, 0.0, 0.0], "two": [0.0, 0.0, 2.0]}
    return ToySource(AbleToy(known))


QUESTIONS: list[tuple[Question, list[Any]]] = [
    (Predict(), ["a", "c", "a"]),
    (
        Logits(),
        [
            {"a": 1.0, "b": 0.0, "c": 0.0},
            {"a": 0.0, "b": 0.0, "c": 2.0},
            {"a": 1.0, "b": 0.0, "c": 0.0},
        ],
    ),
    (Embed(), [[3.0, 1.0], [3.0, 1.0], [3.0, 1.0]]),
    (LogLikelihood(), [3.0, 3.0, 3.0]),
    (Propose(k=2), [["a", "b"], ["c", "a"], ["a", "b"]]),
    (
        Propose(k=1, generator="dropout-p", options=(("p", 0.5),), seed=3),
        [["a"], ["c"], ["a"]],
    ),
]


@pytest.mark.parametrize(("question", "expected"), QUESTIONS)
def test_answers_are_given_by_example_and_kept(
    tmp_path: Path, question: Question, expected: list[Any]
) -> None:
    source, cache = able(), Cache(tmp_path)

    first = ask(source, ASKED, question, cache=cache)
    again = ask(source, ASKED, question, cache=cache)

    assert first.ids.to_pylist() == ["e1", "e2", "e3"]
    assert first.column(question.column).to_pylist() == expected
    assert again.table.equals(first.table)
    assert source.loads == 1


def test_a_model_that_several_steps_share_answers_every_question() -> None:
    source = able()
    with LoadedModels() as models:
        shared = models.share(source)
        for question, expected in [*QUESTIONS, (Score(CANDIDATES), None)]:
            found = ask(shared, ASKED, question).column(question.column).to_pylist()
            assert expected is None or found == expected

    assert source.loads == 1


def test_scores_are_of_the_candidates_of_each_example(tmp_path: Path) -> None:
    source, cache = able(), Cache(tmp_path)

    found = ask(source, ASKED, Score(CANDIDATES), cache=cache)
    ask(source, ASKED, Score(CANDIDATES), cache=cache)

    scores = found.column("log_probability").to_pylist()
    # e of e + 2, and 1 of e + 2.
    np.testing.assert_allclose(np.exp(scores[0]), [0.5761169, 0.2119416], atol=1e-7)
    assert [len(one) for one in scores] == [2, 1, 1]
    assert scores[2] == [-np.inf]
    assert source.loads == 1
    ask(source, ASKED, Score(CANDIDATES.take([1, 1, 2])), cache=cache)
    assert source.loads == 2


def test_questions_do_not_share_answers(tmp_path: Path) -> None:
    questions = [one for one, _ in QUESTIONS] + [Propose(k=3), Propose(k=2, seed=1)]
    source, cache = able(), Cache(tmp_path)

    for question in questions:
        ask(source, ASKED, question, cache=cache)

    assert source.loads == len(questions)
    assert len(list(cache.folders())) == len(questions)


@pytest.mark.parametrize(
    ("question", "lacks"),
    [
        (Logits(), "GivesLogits"),
        (Embed(), "Embeds"),
        (LogLikelihood(), "GivesLikelihood"),
        (Propose(k=2), "Proposes"),
        (Propose(k=2, generator="beam"), "HasGenerators"),
        (Score(CANDIDATES), "Scores"),
    ],
)
def test_a_model_that_cannot_answer_is_named(question: Question, lacks: str) -> None:
    with pytest.raises(CapabilityError, match=f"capability {lacks}; FakeModel lacks"):
        ask(FakeSource(FakeModel({})), ASKED, question)


@dataclass
class Odd:
    """Answers every question in a form that is not asked for."""

    labels: tuple[str, ...] = ("a", "b")
    found: Any = field(default_factory=list)

    def predict(self, items: Sequence[Any]) -> pa.Table:
        return pa.table({"prediction": pa.array([], pa.string())})

    def logits(self, items: Sequence[Any]) -> Any:
        return self.found

    embed = logits

    def log_likelihood(self, items: Sequence[Any]) -> Any:
        return self.found, self.found

    def propose(self, items: Sequence[Any], **_: Any) -> Any:
        return self.found

    def log_probability(self, items: Sequence[Any], answers: Any) -> Any:
        return self.found


@pytest.mark.parametrize(
    ("question", "found"),
    [
        (Logits(), [1.0, 2.0]),
        (Logits(), [[1.0], [2.0]]),
        (Embed(), [[1.0]]),
        (LogLikelihood(), [[1.0], [1.0]]),
        (Propose(k=1), [["a"]]),
        (Score(CANDIDATES), [[1.0], [1.0], [1.0]]),
        (Score(CANDIDATES.slice(1)), []),
    ],
)
def test_answers_of_another_form_are_refused(question: Question, found: Any) -> None:
    with pytest.raises(ModelError):
        ask(ToySource(Odd(found=found)), ASKED, question)


@pytest.mark.parametrize("question", [Logits(), Embed()])
def test_what_is_no_number_is_an_error_of_its_example(question: Question) -> None:
    model = Odd(found=[[np.nan, 1.0], [0.0, 1.0]])

    found = ask(ToySource(model), ASKED, question)

    assert found.errors().tolist() == [True, False, True]
    assert found.column(question.column).null_count == 2


def test_an_example_with_which_the_model_raises_has_no_answer() -> None:
    source = able()
    source.model.fails = "two"

    found = ask(source, ASKED, Logits(), settings=RunSettings(batch_cap=2))

    values, labels = values_of(found.column("logits"))
    assert labels == ("a", "b", "c")
    assert np.isnan(values[1]).all()
    np.testing.assert_array_equal(values[[0, 2]], [[1.0, 0.0, 0.0]] * 2)
    assert found.errors().tolist() == [False, True, False]


class TokensToy(ToyClassifier):
    """A toy whose tokens are the characters of a text; of `two` it is not sure."""

    def token_scores(self, items: Sequence[Any]) -> TokenScores:
        sizes = [len(item) for item in items]
        log_p = [np.nan if item == "two" else -1.0 for item in items for _ in item]
        return TokenScores(
            log_p=np.array(log_p),
            ranks=np.arange(len(log_p)) + 1,
            top=np.arange(len(log_p)),
            offsets=np.concatenate([[0], np.cumsum(sizes)]),
            is_text=np.ones(len(items), np.bool_),
        )


def test_a_model_that_scores_tokens_is_asked_for_them() -> None:
    found = ask(ToySource(TokensToy({})), ASKED, LogLikelihood()).table

    assert found["nll"].to_pylist() == [3.0, None, 3.0]
    assert found["n_tokens"].to_pylist() == [3, None, 3]
    ranks = found["token_ranks"].to_pylist()
    assert ranks[1] is None
    assert ranks[0] == ranks[2]
    assert len(ranks[0]) == len(found["top_tokens"].to_pylist()[0]) == 3
    assert "holds nan" in found["error"][1].as_py()
