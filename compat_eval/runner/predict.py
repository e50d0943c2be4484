"""A model's answers to examples: stored ones first, the others in batches."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from compat_eval.core.arrays import Bools, Ints
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.core.protocols import ModelSource, Predicts
from compat_eval.runner.answers import checked, failed, joined
from compat_eval.runner.attempt import attempt
from compat_eval.runner.cache import Cache
from compat_eval.runner.encoding import Encoded, encoded
from compat_eval.runner.failure import Failure, memory_released
from compat_eval.runner.gathered import Gathered
from compat_eval.runner.inputs import Inputs
from compat_eval.runner.progress import Progress
from compat_eval.runner.settings import Settings, identity_of
from compat_eval.runner.shard import Shard
from compat_eval.runner.store import Store
from compat_eval.runner.voice import Voice


def predict(
    source: ModelSource,
    examples: Examples,
    *,
    settings: Settings | None = None,
    cache: Cache | None = None,
    progress: Progress | None = None,
    shard: Shard | None = None,
) -> Predictions:
    """Return one answer for each example, in the examples' order.

    Each distinct input is asked once. Batches are planned over all inputs,
    and those are left out whose every answer is stored; of the others every
    member is asked again, so that a batch always has the same members, but
    an answer that was stored stays. So an interrupted run that is taken up
    again ends with the same bytes as one that was not, and a run whose answers
    are all stored does not load the model. The model is gone from memory when
    this returns.

    A model's identity is taken again when it is loaded, and whenever it has imported
    more code: answers are stored only under what it was all the time.

    An input with which the model raises has a null prediction and an `error`.
    With a shard, only the examples of that share are returned.

    Raises:
        ModelError: The model cannot be loaded, or its answers break their
            contract.

    """
    settings = settings or Settings()
    asked = Inputs.of(examples)
    voice = Voice(progress)
    identity = None if cache is None else identity_of(source, settings)
    with _opened(source, identity, cache, voice) as store:
        answers = Gathered(asked, store, retry=settings.retry_errors)
        share = np.ones(len(asked), np.bool_)
        if shard is not None or not answers.there.all():
            with memory_released():
                same = _Same(source, settings, identity, store)
                share, answers = _ask(same, answers, settings, voice, shard=shard)
    if store is not None:
        voice.failure(store.failure)
    return answers.of(examples, share)


def is_answered(
    source: ModelSource,
    examples: Examples,
    *,
    settings: Settings,
    cache: Cache | None,
) -> bool:
    """Say whether `predict` would find all answers stored, and load no model."""
    if cache is None:
        return False
    identity = identity_of(source, settings)
    with _opened(source, identity, cache, Voice(None)) as store:
        found = Gathered(Inputs.of(examples), store, retry=settings.retry_errors)
        return bool(found.there.all())


@dataclass(slots=True)
class _Same:
    """Looks whether a model is still what its answers are stored under.

    Attributes:
        source: The model.
        settings: How it is run.
        identity: What it was when the store was opened; `None` without a store.
        store: Gets nothing more where the model has changed.

    """

    source: ModelSource
    settings: Settings
    identity: Mapping[str, object] | None
    store: Store | None
    n_modules: int = 0

    def look(self, when: str) -> bool:
        """Take the identity again."""
        self.n_modules = len(sys.modules)
        if self.store is None:
            return True
        same = identity_of(self.source, self.settings) == self.identity
        if not same:
            self.store.stop(f"its files, code or settings changed while {when}")
        return same

    def look_if_code_came(self) -> None:
        """Take the identity again where modules were imported since."""
        if len(sys.modules) != self.n_modules:
            self.look("it was running")


def _ask(
    same: _Same,
    answers: Gathered,
    settings: Settings,
    voice: Voice,
    *,
    shard: Shard | None,
) -> tuple[Bools, Gathered]:
    """Run the model over what is missing.

    Returns:
        Which inputs the share holds, and the answers: without stored ones where the
        model changed while it was loaded.

    """
    label = same.source.reference
    model = same.source.load()
    if not same.look("it was loaded"):
        answers = Gathered(answers.asked, None, retry=settings.retry_errors)
    work = encoded(model, answers.asked, settings, voice.progress, label=label)
    if shard is not None:
        work = work.share(shard)
    for at, failure in work.failures.items():
        answers.add(np.array([at]), failed(failure), np.array([failure.lasts]))
    there = answers.there
    todo = [batch for batch in work.batches if not there[batch].all()]
    share = work.members()
    total, left = int(share.sum()), sum(len(batch) for batch in todo)
    voice.progress.start(label, total=total, done=total - left)
    try:
        for batch in todo:
            table, lasting = _run(model, work, batch, task=settings.task)
            same.look_if_code_came()
            answers.add(batch, table, lasting)
            voice.progress.advance(len(batch))
    finally:
        voice.progress.stop()
    return share, answers


def _run(
    model: Predicts, work: Encoded, batch: Ints, *, task: str
) -> tuple[pa.Table, Bools]:
    """Ask one batch; return the answers, and which of them would be given again."""
    parts: list[pa.Table] = []
    lasting: list[Bools] = []
    for count, result in attempt(model.predict, work.take(batch)):
        if isinstance(result, Failure):
            parts.append(failed(result))
            lasting.append(np.array([result.lasts]))
        else:
            parts.append(checked(result, count, task=task))
            lasting.append(np.ones(count, np.bool_))
    table = parts[0] if len(parts) == 1 else joined(parts)
    return table, np.concatenate(lasting)


@contextmanager
def _opened(
    source: ModelSource,
    identity: Mapping[str, object] | None,
    cache: Cache | None,
    voice: Voice,
) -> Iterator[Store | None]:
    store = None
    if cache is not None and identity is not None:
        try:
            store = cache.store(identity, reference=source.reference)
        except OSError as error:
            voice.failure(str(error))
    with store or nullcontext():
        yield store
