"""What a model can be asked: small values, each with a stable identity.

`ask` puts any of them to a model; answers are kept by model, question and example.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
import pyarrow as pa

from compat_eval.core.arrays import Bools, Ints, Values
from compat_eval.core.errors import CapabilityError, ModelError
from compat_eval.core.examples import Examples
from compat_eval.core.protocols import (
    Embeds,
    GivesLikelihood,
    GivesLogits,
    GivesTokenScores,
    HasGenerators,
    Item,
    Predicts,
    Proposes,
    Scores,
)
from compat_eval.core.token_scores import TokenScores
from compat_eval.runner.answers import checked, without_nan

_C = TypeVar("_C")


@dataclass(frozen=True, slots=True)
class Batch:
    """What is asked in one call.

    Attributes:
        items: What the model encoded.
        beside: What else belongs to each item, such as candidates; `None` for nothing.
        task: Task kind.

    """

    items: Sequence[Item]
    beside: Sequence[Any] | None = None
    task: str = ""


class Question(Protocol):
    """What a model is asked about each example."""

    @property
    def column(self) -> str:
        """The column of the answer; null where there is none."""

    def identity(self) -> dict[str, object]:
        """Return what tells this question from others, JSON-ready."""

    def beside(self, examples: Examples) -> pa.ChunkedArray | None:
        """Return what else belongs to each example's question; shape (n_examples,)."""

    def put(self, model: Any, batch: Batch) -> pa.Table:  # noqa: ANN401 - see below
        """Ask a loaded model about one batch; return a row an item.

        Raises:
            CapabilityError: The model cannot answer such a question.
            ModelError: Its answers break their contract.

        """


@dataclass(frozen=True, slots=True)
class _OfInputs:
    """A question about the input alone."""

    def beside(self, examples: Examples) -> pa.ChunkedArray | None:
        """Return nothing."""
        return None


@dataclass(frozen=True, slots=True)
class Predict(_OfInputs):
    """The answer: column `prediction`, and what else `Predictions` may hold."""

    column = "prediction"

    def identity(self) -> dict[str, object]:
        """Return nothing: it is what is asked where nothing is said."""
        return {}

    def put(self, model: Predicts, batch: Batch) -> pa.Table:
        """Ask about one batch."""
        return checked(model.predict(batch.items), len(batch.items), task=batch.task)


@dataclass(frozen=True, slots=True)
class Logits(_OfInputs):
    """A score for every label: column `logits`, a field for each label's name."""

    column = "logits"

    def identity(self) -> dict[str, object]:
        """Return its name."""
        return {"question": "logits"}

    def put(self, model: object, batch: Batch) -> pa.Table:
        """Ask about one batch."""
        able = _able(model, GivesLogits, self)
        found = _rows(able.logits(batch.items), len(batch.items), self)
        if found.shape[1] != len(able.labels):
            raise ModelError(
                f"logits must have a column for each of {len(able.labels)} labels; "
                f"got shape {found.shape}"
            )
        fields = [pa.array(column) for column in found.T]
        answers = pa.StructArray.from_arrays(fields, names=list(able.labels))
        table = pa.table({"logits": answers})
        return without_nan(table, _with_nan(found), "logits")


@dataclass(frozen=True, slots=True)
class Embed(_OfInputs):
    """A vector: column `vector`, of one length."""

    column = "vector"

    def identity(self) -> dict[str, object]:
        """Return its name."""
        return {"question": "embed"}

    def put(self, model: object, batch: Batch) -> pa.Table:
        """Ask about one batch."""
        found = _rows(
            _able(model, Embeds, self).embed(batch.items), len(batch.items), self
        )
        flat = pa.array(found.ravel())
        vectors = pa.FixedSizeListArray.from_arrays(flat, found.shape[1])
        table = pa.table({"vector": vectors})
        return without_nan(table, _with_nan(found), "vector")


@dataclass(frozen=True, slots=True)
class LogLikelihood(_OfInputs):
    """How probable the input is: columns `nll` in nats, and `n_tokens`.

    Of models that tell, also how well each token was predicted: `token_ranks` and
    `top_tokens`, lists of `n_tokens` whole numbers (see `TokenScores`).
    """

    column = "nll"

    def identity(self) -> dict[str, object]:
        """Return its name."""
        return {"question": "log_likelihood", "tokens": ["token_ranks", "top_tokens"]}

    def put(self, model: object, batch: Batch) -> pa.Table:
        """Ask about one batch."""
        if isinstance(model, GivesTokenScores):
            found = model.token_scores(batch.items)
            table = pa.table(
                {**_sums(found.totals(), found.n_tokens, batch), **_lists(found)}
            )
        else:
            able = _able(model, GivesLikelihood, self)
            table = pa.table(_sums(*able.log_likelihood(batch.items), batch))
        return without_nan(table, np.isnan(table["nll"].to_numpy()), "nll")


def _sums(nats: object, tokens: object, batch: Batch) -> dict[str, Values | Ints]:
    nll, counts = -np.asarray(nats, np.float64), np.asarray(tokens, np.int64)
    if nll.shape != (len(batch.items),) or counts.shape != (len(batch.items),):
        raise ModelError(
            f"log_likelihood was asked {len(batch.items)} items; got shapes "
            f"{nll.shape} and {counts.shape}"
        )
    return {"nll": nll, "n_tokens": counts}


def _lists(scores: TokenScores) -> dict[str, pa.Array]:
    offsets = pa.array(scores.offsets, pa.int32())
    columns = {"token_ranks": scores.ranks, "top_tokens": scores.top}
    return {
        name: pa.ListArray.from_arrays(offsets, pa.array(numbers, pa.int32()))
        for name, numbers in columns.items()
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Propose(_OfInputs):
    """Candidate answers: column `candidates`, a list.

    Attributes:
        k: How many.
        generator: How, where the model knows several ways; its own choice otherwise.
        options: Settings of the generator, by name.
        seed: Random seed of each batch.

    """

    column = "candidates"
    k: int
    generator: str | None = None
    options: tuple[tuple[str, object], ...] = ()
    seed: int = 0

    def identity(self) -> dict[str, object]:
        """Return its name and settings."""
        settings = [self.k, self.generator, sorted(map(list, self.options)), self.seed]
        return {"question": "propose", "settings": settings}

    def put(self, model: object, batch: Batch) -> pa.Table:
        """Ask about one batch."""
        rng = np.random.default_rng(self.seed)
        kind = _able(model, Predicts, self).predict([]).schema.field("prediction").type
        found = self._proposer(model).propose(batch.items, k=self.k, rng=rng)
        if len(found) != len(batch.items):
            raise ModelError(
                f"propose was asked {len(batch.items)} items and returned {len(found)}"
            )
        return pa.table({"candidates": pa.array(found, pa.list_(kind))})

    def _proposer(self, model: object) -> Proposes:
        if self.generator is None:
            return _able(model, Proposes, self)
        ways = _able(model, HasGenerators, self)
        return ways.proposer(self.generator, **dict(self.options))


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """How probable given answers are: column `log_probability`, a list in nats.

    Attributes:
        candidates: Answers to score; a list for each example, in their order.

    """

    candidates: pa.ChunkedArray
    column = "log_probability"

    def identity(self) -> dict[str, object]:
        """Return its name; candidates belong to the examples."""
        return {"question": "score"}

    def beside(self, examples: Examples) -> pa.ChunkedArray:
        """Return the candidates of each example.

        Raises:
            ModelError: There is not one list an example.

        """
        if len(self.candidates) != len(examples):
            raise ModelError(
                f"{len(examples)} examples need as many lists of candidates; got "
                f"{len(self.candidates)}"
            )
        return self.candidates

    def put(self, model: object, batch: Batch) -> pa.Table:
        """Ask about one batch."""
        assert batch.beside is not None
        found = _able(model, Scores, self).log_probability(batch.items, batch.beside)
        if [len(row) for row in found] != [len(answers) for answers in batch.beside]:
            raise ModelError("log_probability must return a number for each answer")
        rows = [np.asarray(row, np.float64) for row in found]
        table = pa.table({"log_probability": pa.array(rows, pa.list_(pa.float64()))})
        bad = np.array([bool(np.isnan(row).any()) for row in rows], np.bool_)
        return without_nan(table, bad, "log_probability")


def values_of(column: pa.ChunkedArray) -> tuple[Values, tuple[str, ...]]:
    """Return the logits of a column of `Logits`, nan where null, and their labels.

    The shape is (n_examples, n_labels).
    """
    whole = column.combine_chunks()
    names = tuple(field.name for field in whole.type)
    fields = [
        whole.field(at).to_numpy(zero_copy_only=False) for at in range(len(names))
    ]
    found = np.stack(fields, axis=1).astype(np.float64)
    found[whole.is_null().to_numpy(zero_copy_only=False)] = np.nan
    return found, names


def _able(model: object, capability: type[_C], question: object) -> _C:
    if not isinstance(model, capability):
        raise CapabilityError(
            f"to ask for {type(question).__name__} a model needs the capability "
            f"{capability.__name__}; {type(model).__name__} lacks it"
        )
    return model


def _with_nan(rows: Values) -> Bools:
    return np.asarray(np.isnan(rows).any(axis=1), np.bool_)


def _rows(found: object, n_items: int, question: Question) -> Values:
    values = np.asarray(found, np.float64)
    if values.ndim != 2 or len(values) != n_items:  # noqa: PLR2004
        raise ModelError(
            f"{question.column} must have a row an item; was asked {n_items} items "
            f"and got shape {values.shape}"
        )
    return values
