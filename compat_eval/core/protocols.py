"""What others plug in: tasks, models and their capabilities.

Each capability is one small Protocol. A mitigation or a runner asks for the
one it needs (`isinstance(model, Proposes)`) and names it when it is missing.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np
import pyarrow as pa

from compat_eval.core.arrays import Array, Bools, Ints, Values
from compat_eval.core.examples import Examples
from compat_eval.core.grades import Grades, Level
from compat_eval.core.predictions import Predictions
from compat_eval.core.statistic import Statistic

if TYPE_CHECKING:
    from compat_eval.core.places import Places
    from compat_eval.core.token_scores import TokenScores

Item = Any
"""One encoded input: whatever `Encodes.encode` made, or the raw input."""

Answer = Any
"""One answer in the task's own form, such as a label."""

Part: TypeAlias = Literal["query", "document"]
"""What a text is in a search."""


class Task(Protocol):
    """A task kind: what an answer is worth at each level, and how it is shown."""

    @property
    def kind(self) -> str:
        """Stable name of the kind, such as `classification`."""

    @property
    def levels(self) -> tuple[Level, ...]:
        """The levels, the most important first."""

    def grade(
        self,
        examples: Examples,
        predictions: Predictions,
        levels: Sequence[str] | None = None,
    ) -> Mapping[str, Grades]:
        """Grade answers at several levels at once, by name.

        Args:
            examples: With the ids of the answers, in their order.
            predictions: The answers.
            levels: Names of levels; `None` for all.

        Raises:
            UsageError: There is no such level.

        """

    def statistics(
        self, examples: Examples, predictions: Predictions
    ) -> tuple[Statistic, ...]:
        """Return what these columns allow beyond accuracy: statistics of one role."""

    def show(self, answer: object) -> str:
        """Return one input, gold or predicted answer as plain text."""


@runtime_checkable
class AnswersLabels(Protocol):
    """A task that may say that its gold answers and predictions are label names."""

    @property
    def answers_labels(self) -> bool:
        """Whether they are; then both sides must spell labels as gold does."""


def answers_labels(task: Task) -> bool:
    """Whether a task's gold answers and predictions are label names."""
    return isinstance(task, AnswersLabels) and task.answers_labels


@runtime_checkable
class AnswersColumns(Protocol):
    """A task whose answers are no `prediction` but other columns."""

    @property
    def answer_columns(self) -> tuple[str, ...]:
        """Their names, such as `nll` and `n_tokens`."""


def answer_columns(task: Task) -> tuple[str, ...]:
    """Return which columns of predictions a task grades."""
    if isinstance(task, AnswersColumns):
        return task.answer_columns
    return ("prediction",)


@runtime_checkable
class TellsChanges(Protocol):
    """A task that knows which units two answers treat differently.

    Without it only whole answers are known to differ.
    """

    def changed(
        self, examples: Examples, old: Predictions, new: Predictions, level: str
    ) -> Bools | None:
        """Return what changed, a unit each, in the order of `Task.grade`.

        A unit that only one side has right has changed. `None` where not known.
        """


@runtime_checkable
class SuitsAnswers(Protocol):
    """A task whose levels depend on what there is to grade."""

    def suited(
        self, examples: Sequence[Examples], answers: Sequence[Predictions]
    ) -> "SuitedTask":
        """Return the task with the levels that these sides allow.

        Args:
            examples: What is asked, in the words of each who asks.
            answers: Of each side.

        """


@runtime_checkable
class SuitedTask(Task, Protocol):
    """A task with the levels that certain answers allow."""

    @property
    def withheld(self) -> Mapping[str, str]:
        """Level to the reason why these answers do not have it."""


@runtime_checkable
class DoubtsAnswers(Protocol):
    """A task that knows what answers cannot be trusted with."""

    def doubts(
        self, examples: Examples, old: Predictions, new: Predictions
    ) -> Iterable[str]:
        """Return why nothing may pass, in clauses."""


@runtime_checkable
class Remarks(Protocol):
    """A task that knows what differs between sides besides being right or wrong."""

    def remarks(
        self, examples: Examples, old: Predictions, new: Predictions
    ) -> Iterable[str]:
        """Return what must be known before the numbers are read, in sentences.

        Such as a convention of gold that a side does not follow, with what to do.

        Raises:
            DataError: The answers cannot be compared.

        """


@runtime_checkable
class HasFacets(Protocol):
    """A task that knows of its units what breakdowns group them by."""

    def facets(self, examples: Examples, level: str) -> pa.Table:
        """Return one row a unit, in the order of `Task.grade`; a column a facet.

        Columns are dictionaries of strings, `ordered` where their values have an
        order; null where a unit has no value.
        """


@runtime_checkable
class ChecksGold(Protocol):
    """A task that not every gold answer suits, and that can say so beforehand."""

    def check_gold(self, examples: Examples) -> None:
        """Look at the gold answers before a model is asked anything.

        Raises:
            DataError: Some cannot be graded against; the message names their ids.

        """


@runtime_checkable
class PlacesUnits(Protocol):
    """A task whose units stand in sentences and trees."""

    def places(self, examples: Examples, level: str) -> "Places | None":
        """Return where the units are; `None` where examples are the units."""


class ModelSource(Protocol):
    """A model that is known but not yet loaded.

    Opening a source is cheap; only `load` reads weights into memory. A run
    whose predictions are all cached never calls `load`.
    """

    @property
    def reference(self) -> str:
        """What the user wrote, such as `hf:models/intent-v2`."""

    def fingerprint(self) -> str:
        """Return a SHA-256 of everything that decides the answers.

        Weights' bytes, configuration, tokenizer, label names, code, and settings
        such as dtype; never paths or times. It is asked for again after `load`.
        """

    def describe(self) -> dict[str, Any]:
        """Return JSON-ready provenance: format, sizes, label names, flags.

        `libraries` names the versions of the packages that compute: answers are
        stored for these versions only.
        """

    def load(self) -> "Predicts":
        """Read the model into memory.

        Raises:
            ModelError: The files are damaged or of a kind that is refused.

        """


@runtime_checkable
class Predicts(Protocol):
    """Answers a batch."""

    def predict(self, items: Sequence[Item]) -> pa.Table:
        """Return one row an item, with a column `prediction`.

        Further columns as in `Predictions` (`score`, `margin`, `nll`, …), but
        no `id`. The answer to an item must not depend on its neighbours.
        """


@runtime_checkable
class Encodes(Protocol):
    """Turns raw inputs into items of known length, so that batches can be packed."""

    def encode(self, inputs: Sequence[Any]) -> Sequence[Item]:
        """Return one item an input; `len(item)` is its length in tokens."""


@runtime_checkable
class GivesLogits(Protocol):
    """Knows a score for every label."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Label names, in the order of the logits' last axis."""

    def logits(self, items: Sequence[Item]) -> Values:
        """Return unnormalised scores, shape (n_items, n_labels)."""


@runtime_checkable
class Proposes(Protocol):
    """Offers several candidate answers."""

    def propose(
        self, items: Sequence[Item], *, k: int, rng: np.random.Generator
    ) -> list[list[Answer]]:
        """Return `k` candidates for each item; duplicates are allowed."""


@runtime_checkable
class HasGenerators(Protocol):
    """Makes candidates in more than one way."""

    def proposer(self, generator: str, **options: Any) -> Proposes:  # noqa: ANN401
        """Return what makes candidates in a named way."""


@runtime_checkable
class Scores(Protocol):
    """Knows how probable given answers are."""

    def log_probability(
        self, items: Sequence[Item], answers: Sequence[Sequence[Answer]]
    ) -> list[Values]:
        """Return log p(answer | item) in nats for each answer of each item.

        `-inf` where the model cannot produce the answer.
        """


@runtime_checkable
class GivesLikelihood(Protocol):
    """Knows how probable an input is, but nothing of its tokens."""

    def log_likelihood(self, items: Sequence[Item]) -> tuple[Values, Ints]:
        """Return log p(input) in nats and of how many tokens it is the sum.

        Shape (n_items,) each.
        """


@runtime_checkable
class GivesTokenScores(Protocol):
    """Knows how well it predicts each token of an input, as language models do."""

    def token_scores(self, items: Sequence[Item]) -> "TokenScores":
        """Return log-probability, rank and top token of each token that is predicted.

        Every token is predicted at most once, from what stands before it.
        """


@runtime_checkable
class Embeds(Protocol):
    """Maps inputs to vectors."""

    def embed(self, items: Sequence[Item]) -> Values:
        """Return one vector an item, shape (n_items, n_dimensions)."""


@runtime_checkable
class ReadsByPart(ModelSource, Protocol):
    """An encoder that may read queries otherwise than documents."""

    def reading(self, part: Part) -> ModelSource:
        """Return the encoder as it reads this part, such as with its prompt.

        Where it reads both alike, both have one fingerprint.
        """


@runtime_checkable
class HasWeights(Protocol):
    """Has named tensors, and can be copied with others in their place."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Label names, in the order of the tensors' axes."""

    @property
    def weights(self) -> Mapping[str, Array]:
        """Its tensors by name."""

    @property
    def label_axes(self) -> Mapping[str, int]:
        """Tensors with an entry for each label, and along which axis."""

    @property
    def built_as(self) -> Mapping[str, Any]:
        """What decides what the tensors mean, besides the labels; JSON-ready.

        Such as the architecture, what sizes do not tell, and the vocabulary.
        """

    def with_weights(self, weights: Mapping[str, Array]) -> "HasWeights":
        """Return a copy with other tensors of the same names and shapes."""

    def predict(self, items: Sequence[Item]) -> pa.Table:
        """See `Predicts`."""

    def save(self, directory: Path) -> None:
        """Write it into an existing directory, config.json last, to be opened again."""


@runtime_checkable
class GivesFisher(HasWeights, Protocol):
    """Knows which of its weights decide its answers."""

    def fisher(self, items: Sequence[Item], gold: Sequence[str]) -> Mapping[str, Array]:
        """Return the mean squared gradient of log p(gold | item), by tensor.

        That is the diagonal of the empirical Fisher information. Items whose gold is
        none of its labels do not count.
        """


@runtime_checkable
class Trains(Protocol):
    """Can be fitted to examples."""

    def fit(self, examples: Examples, *, rng: np.random.Generator) -> Predicts:
        """Return a trained model; the original is left as it was."""
