"""A model's answers to a question: stored ones first, the others in batches."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from compat_eval.core.arrays import Bools, Ints
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.core.progress import Progress, Silence
from compat_eval.core.protocols import ModelSource, Predicts
from compat_eval.runner.answers import failed, joined, tidy
from compat_eval.runner.batches import Encoded, Inputs, attempt, encoded
from compat_eval.runner.cache import Cache, tell_not_stored
from compat_eval.runner.failure import Failure, memory_released
from compat_eval.runner.questions import Batch, Question
from compat_eval.runner.settings import RunSettings, identity_of
from compat_eval.runner.shards import Shard
from compat_eval.runner.store import Store

_T = TypeVar("_T")


@dataclass(slots=True)
class Effort:
    """How long a model takes for one example.

    Attributes:
        seconds: Spent on encoding and answering so far.
        answered: How many inputs it answered; stored answers are not among them.

    """

    seconds: float = 0.0
    answered: int = 0

    @property
    def per_example(self) -> float | None:
        """Seconds for one example; `None` where all answers were stored."""
        return self.seconds / self.answered if self.answered else None

    def timed(self, call: Callable[[], _T], answered: int = 0) -> _T:
        """Return what a call returns, counting its time; nothing where it raises."""
        start = time.perf_counter()
        found = call()
        self.seconds += time.perf_counter() - start
        self.answered += answered
        return found


def ask(
    source: ModelSource,
    examples: Examples,
    question: Question,
    *,
    settings: RunSettings | None = None,
    cache: Cache | None = None,
    progress: Progress | None = None,
    shard: Shard | None = None,
    effort: Effort | None = None,
) -> Predictions:
    """Return one answer for each example, in the examples' order.

    Each distinct input is asked once. Batches are planned over all inputs,
    and those are left out whose every answer is stored; of the others every
    member is asked again, so that a batch always has the same members, but
    an answer that was stored stays. So an interrupted run that is taken up
    again ends with the same bytes as one that was not, and a run whose answers
    are all stored does not load the model. The model is gone from memory when
    this returns, unless somebody else keeps it.

    A model's identity is taken again when it is loaded, and whenever it has imported
    more code: answers are stored only under what it was all the time.

    An input with which the model raises has a null answer and an `error`.
    With a shard, only the examples of that share are returned.

    Args:
        source: The model.
        examples: With a column `input`.
        question: What is asked about each.
        settings: How the model is run.
        cache: Where answers are stored; `None` for nowhere.
        progress: Follows the work.
        shard: Which share is asked.
        effort: Gets the time that is spent.

    Raises:
        CapabilityError: The model cannot answer such a question.
        ModelError: The model cannot be loaded, or its answers break their
            contract.

    """
    settings = settings or RunSettings()
    asked = Inputs.of(examples, question.beside(examples))
    identity = None if cache is None else identity_of(source, settings, question)
    with _opened(source, identity, cache, progress) as store:
        answers = _Answers(asked, question, store, retry=settings.retry_errors)
        share = np.ones(len(asked), np.bool_)
        if shard is not None or not answers.there.all():
            run = _Run(
                source=source,
                question=question,
                settings=settings,
                identity=identity,
                store=store,
                progress=progress or Silence(),
                effort=effort or Effort(),
            )
            with memory_released():
                share, answers = run.ask(answers, shard=shard)
    if store is not None:
        tell_not_stored(progress, store.failure)
    return answers.of(examples, share)


def is_answered(
    source: ModelSource,
    examples: Examples,
    question: Question,
    *,
    settings: RunSettings,
    cache: Cache | None,
) -> bool:
    """Say whether `ask` would find all answers stored, and load no model."""
    if cache is None:
        return False
    asked = Inputs.of(examples, question.beside(examples))
    identity = identity_of(source, settings, question)
    with _opened(source, identity, cache, Silence()) as store:
        found = _Answers(asked, question, store, retry=settings.retry_errors)
        return bool(found.there.all())


@dataclass(slots=True)
class _Answers:
    """The answers to distinct inputs as they come together: stored and new ones.

    Attributes:
        asked: The inputs.
        question: What is asked about them.
        store: Where answers come from and go to; `None` for nowhere.
        retry: Whether a stored error is no answer.

    """

    asked: Inputs
    question: Question
    store: Store | None
    retry: bool
    tables: list[pa.Table] = field(default_factory=list)
    rows: Ints = field(init=False)
    n_rows: int = 0

    def __post_init__(self) -> None:
        self.rows = np.full(len(self.asked), -1, np.int64)
        if self.store is not None and len(self.asked):
            stored, at = self.store.lookup(self.asked.keys, errors=not self.retry)
            self.rows = np.where(at >= 0, at, -1)
            self._keep(stored)

    @property
    def there(self) -> Bools:
        """Which inputs have an answer; shape (n_inputs,)."""
        return self.rows >= 0

    def add(self, batch: Ints, table: pa.Table, lasting: Bools) -> None:
        """Take up new answers, and store those that last; an old answer stays."""
        new = self.rows[batch] < 0
        stored = new & lasting
        if self.store is not None and stored.any():
            keys = self.asked.keys.take(pa.array(batch[stored]))
            self.store.append(keys, table if stored.all() else table.filter(stored))
        self.rows[batch[new]] = self.n_rows + np.flatnonzero(new)
        self._keep(table)

    def of(self, examples: Examples, share: Bools) -> Predictions:
        """Return the answers of the examples whose input is in the share."""
        column = self.question.column
        chosen = share[self.asked.codes]
        rows = pa.array(self.rows[self.asked.codes[chosen]])
        nothing = pa.table({column: pa.array([], pa.string())})
        found = joined(self.tables) if self.tables else nothing
        ids = examples.ids.filter(pa.array(chosen))
        return Predictions(tidy(found.take(rows).append_column("id", ids), column))

    def _keep(self, table: pa.Table) -> None:
        if table.num_rows:
            self.tables.append(table)
            self.n_rows += table.num_rows


@dataclass(slots=True, kw_only=True)
class _Run:
    """Runs a model, and looks whether it is still what answers are stored under.

    Attributes:
        identity: What it was when the store was opened; `None` without a store.
        store: Gets nothing more where the model has changed.

    """

    source: ModelSource
    question: Question
    settings: RunSettings
    identity: Mapping[str, object] | None
    store: Store | None
    progress: Progress
    effort: Effort
    n_modules: int = 0

    def ask(self, answers: _Answers, *, shard: Shard | None) -> tuple[Bools, _Answers]:
        """Ask what is missing.

        Returns:
            Which inputs the share holds, and the answers: without stored ones where
            the model changed while it was loaded.

        """
        label = self.source.reference
        model = self.source.load()
        if not self._is_same("it was loaded"):
            retry = self.settings.retry_errors
            answers = _Answers(answers.asked, self.question, None, retry=retry)
        work = encoded(
            model,
            answers.asked,
            self.settings,
            self.progress,
            label=label,
            timed=self.effort.timed,
        )
        if shard is not None:
            work = work.share(shard)
        for at, failure in work.failures.items():
            row = failed(failure, self.question.column)
            answers.add(np.array([at]), row, np.array([failure.lasts]))
        there = answers.there
        todo = [batch for batch in work.batches if not there[batch].all()]
        share = work.members()
        total, left = int(share.sum()), sum(len(batch) for batch in todo)
        self.progress.start(label, total=total, done=total - left)
        try:
            for batch in todo:
                table, lasting = self._batch(model, work, batch, answers.asked.beside)
                if len(sys.modules) != self.n_modules:
                    self._is_same("it was running")
                answers.add(batch, table, lasting)
                self.progress.advance(len(batch))
        finally:
            self.progress.stop()
        return share, answers

    def _batch(
        self,
        model: Predicts,
        work: Encoded,
        batch: Ints,
        beside: Sequence[Any] | None,
    ) -> tuple[pa.Table, Bools]:
        """Ask one batch; return answers, and which of them would be given again."""

        def put(positions: Sequence[int]) -> pa.Table:
            items = [work.items[at] for at in positions]
            about = None if beside is None else [beside[at] for at in positions]
            return self.effort.timed(
                lambda: self.question.put(
                    model, Batch(items, about, self.settings.task)
                ),
                len(items),
            )

        parts: list[pa.Table] = []
        lasting: list[Bools] = []
        for count, result in attempt(put, batch.tolist()):
            if isinstance(result, Failure):
                parts.append(failed(result, self.question.column))
                lasting.append(np.array([result.lasts]))
            else:
                parts.append(result)
                lasting.append(np.ones(count, np.bool_))
        table = parts[0] if len(parts) == 1 else joined(parts)
        return table, np.concatenate(lasting)

    def _is_same(self, when: str) -> bool:
        """Take the identity again."""
        self.n_modules = len(sys.modules)
        if self.store is None:
            return True
        now = identity_of(self.source, self.settings, self.question)
        if now != self.identity:
            self.store.stop(f"its files, code or settings changed while {when}")
        return now == self.identity


@contextmanager
def _opened(
    source: ModelSource,
    identity: Mapping[str, object] | None,
    cache: Cache | None,
    progress: Progress | None,
) -> Iterator[Store | None]:
    store = None
    if cache is not None and identity is not None:
        try:
            store = cache.store(identity, reference=source.reference)
        except OSError as error:
            tell_not_stored(progress, str(error))
    with store or nullcontext():
        yield store
