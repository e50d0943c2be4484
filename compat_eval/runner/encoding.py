"""Inputs as the model wants them, packed into batches."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from compat_eval.core.arrays import Bools, Ints
from compat_eval.core.errors import ModelError
from compat_eval.core.protocols import Encodes, Item, Predicts
from compat_eval.runner.attempt import attempt
from compat_eval.runner.failure import Failure
from compat_eval.runner.inputs import Inputs
from compat_eval.runner.plan import by_length, in_order
from compat_eval.runner.progress import Progress
from compat_eval.runner.settings import Settings
from compat_eval.runner.shard import Shard


@dataclass(frozen=True, slots=True)
class Encoded:
    """What a model is to be asked, and in which batches.

    Attributes:
        items: One for each distinct input; `None` where it could not be made.
        batches: Positions of the items of each batch; shape (n_items,) each.
        failures: Why an input could not become an item, by its position.

    """

    items: Sequence[Item | None]
    batches: Sequence[Ints]
    failures: Mapping[int, Failure]

    def take(self, batch: Ints) -> list[Item]:
        """Return the items of a batch."""
        return [self.items[at] for at in batch.tolist()]

    def share(self, shard: Shard) -> Self:
        """Return this shard's batches and failures."""
        failures = dict(shard.of(list(self.failures.items())))
        return replace(self, batches=shard.of(self.batches), failures=failures)

    def members(self) -> Bools:
        """Return which inputs are in a batch or failed; shape (n_inputs,)."""
        inside = np.zeros(len(self.items), np.bool_)
        inside[list(self.failures)] = True
        for batch in self.batches:
            inside[batch] = True
        return inside


def encoded(
    model: Predicts,
    asked: Inputs,
    settings: Settings,
    progress: Progress,
    *,
    label: str,
) -> Encoded:
    """Encode every input in large chunks, and plan the batches.

    A model that cannot say how long an input is gets them in their order, so
    many at a time.

    Raises:
        ModelError: The model made more or fewer items than it was given inputs.

    """
    inputs = asked.values.to_pylist()
    if not isinstance(model, Encodes):
        whole = in_order(len(inputs), batch_size=settings.batch_cap)
        return Encoded(inputs, whole, {})
    items: list[Item | None] = []
    failures: dict[int, Failure] = {}
    progress.start(f"{label}: encoding", total=len(inputs))
    try:
        for start in range(0, len(inputs), settings.chunk_size):
            chunk = inputs[start : start + settings.chunk_size]
            for count, made in attempt(lambda some: _list(model.encode(some)), chunk):
                _take_up(made, count, items, failures)
            progress.advance(len(chunk))
    finally:
        progress.stop()
    return Encoded(items, _planned(items, failures, settings), failures)


def _list(made: object) -> list[Item]:
    if isinstance(made, Mapping | str | bytes) or not isinstance(made, Iterable):
        raise ModelError(f"encode must return a list; got {type(made).__name__}")
    return list(made)


def _take_up(
    made: Sequence[Item] | Failure,
    count: int,
    items: list[Item | None],
    failures: dict[int, Failure],
) -> None:
    if isinstance(made, Failure):
        failures[len(items)] = made
        items.append(None)
        return
    if len(made) != count:
        raise ModelError(f"encode was given {count} inputs and made {len(made)} items")
    items.extend(made)


def _length(item: Item | None) -> int:
    try:
        return len(item)  # type: ignore[arg-type]
    except Exception as error:  # a model's items can raise anything
        raise ModelError(
            "len() of an item that encode made must be its length; of a "
            f"{type(item).__name__} it raised {type(error).__name__}: {error}"
        ) from error


def _planned(
    items: Sequence[Item | None], failures: Mapping[int, Failure], settings: Settings
) -> list[Ints]:
    sound = [at for at in range(len(items)) if at not in failures]
    plan = by_length(
        [_length(items[at]) for at in sound],
        token_budget=settings.token_budget,
        batch_cap=settings.batch_cap,
    )
    positions = np.array(sound, np.int64)
    return [positions[batch] for batch in plan]
