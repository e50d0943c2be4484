"""Answers that are built step by step: by a beam, by draws, by several models.

A model of this kind reads inputs and makes a `Builder`, which knows log p of the next
step of every answer that is being built. Models that build answers of one kind can
decide each step together: the weighted sum of their log-probabilities counts. With
even weights that is the ensemble of Cai et al., NeurIPS 2022,
https://arxiv.org/abs/2202.02976.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Protocol, TypeAlias, TypeVar

import pyarrow as pa
import torch
from torch import Tensor, nn

from compat_eval.core.arrays import Ints
from compat_eval.core.protocols import Encodes, Item
from compat_eval.models.decoding.candidates import Narrows, drawn
from compat_eval.models.parsing.dropout import uniform
from compat_eval.models.together import Together, items_of, require_weights

Hidden: TypeAlias = tuple[Tensor, ...]
"""What a decoder keeps between two steps; each of shape (n_items, beam, …)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialAnswers:
    """Answers that are being built; every tensor has shape (n_items, beam, …).

    Attributes:
        nats: Log p so far; -inf for no answer.
        is_done: Which are complete.

    """

    nats: Tensor
    is_done: Tensor


P = TypeVar("P", bound=PartialAnswers)


@dataclass(frozen=True, slots=True)
class NextSteps:
    """What may come next.

    Attributes:
        nats: Log p of each choice, shape (n_items, beam, n_choices); -inf where it is
            impossible.
        labels: Log p of each label that a choice may have, one axis more; `None`
            where choices have no labels.

    """

    nats: Tensor
    labels: Tensor | None = None


class Builder(Protocol[P]):
    """Builds answers to inputs that it has read."""

    @property
    def most_steps(self) -> int:
        """After how many steps all answers are complete."""

    def begin(self, beam: int) -> P:
        """Return `beam` empty answers to each input, all with log p 0."""

    def next_steps(self, state: P) -> tuple[NextSteps, P]:
        """Return what may come next, and the answers with the decoders' new states."""

    def extended(self, state: P, choice: Tensor, label: Tensor | None) -> P:
        """Return the answers with one step more, where they are not complete.

        Args:
            state: The answers.
            choice: Of each answer, shape (n_items, beam).
            label: That of each choice, where choices have labels.

        """


Reading: TypeAlias = tuple[float, Any, Sequence[Item]]
"""A model's weight, the model, and its items."""


class BuildsInSteps(Encodes, Protocol):
    """A model whose answers are built step by step."""

    @property
    def beam(self) -> int:
        """How many answers to an input are kept while it answers."""

    def builder(
        self, read: Sequence[tuple[float, Any, Sequence[Item]]]
    ) -> Builder[Any]:
        """Return what builds answers together.

        Args:
            read: Models of this kind; the first one's labels are used.

        """

    def table(self, items: Sequence[Item], found: Any) -> pa.Table:  # noqa: ANN401
        """Return a column `prediction` of the first answer found to each item."""


@dataclass(frozen=True, slots=True)
class StepMixture:
    """Models that decide each step of an answer together.

    Attributes:
        parts: The models with their weights, at least 0; the first one's labels and
            beam are used.

    """

    parts: tuple[tuple[float, BuildsInSteps], ...]

    def __post_init__(self) -> None:
        require_weights([weight for weight, _ in self.parts])

    def encode(self, inputs: Sequence[Any]) -> list[Together]:
        """Encode inputs for each model."""
        columns = [model.encode(inputs) for _, model in self.parts]
        return [Together(items) for items in zip(*columns, strict=True)]

    @torch.inference_mode()
    def predict(self, items: Sequence[Together]) -> pa.Table:
        """Return a column `prediction`: the best answer that the beam finds."""
        _, first = self.parts[0]
        read: list[Reading] = [
            (weight, model, items_of(items, at))
            for at, (weight, model) in enumerate(self.parts)
            if weight or not at
        ]
        return answered(first, read)


def answered(model: BuildsInSteps, read: Sequence[Reading]) -> pa.Table:
    """Return a column `prediction`: the best answers that a model's beam finds."""
    _, _, items = read[0]
    found = beam_search(model.builder(read), model.beam) if items else None
    return model.table(items, found)


def weighted(weights: Sequence[float], nats: Sequence[Tensor]) -> Tensor:
    """Return the weighted sum of several models' log p of the next step."""
    if len(nats) == 1:
        return nats[0]
    pairs = zip(weights, nats, strict=True)
    return torch.stack([weight * one for weight, one in pairs if weight]).sum(dim=0)


def beam_search(builder: Builder[P], beam: int) -> P:
    """Return the answers that a beam ends with, the most probable first.

    They compete by their log p, which is not divided by their length.

    Args:
        builder: Knows what may come next.
        beam: How many answers to an input are kept, at least 1; 1 is greedy.

    """
    state = builder.begin(beam)
    nats = state.nats.clone()
    nats[:, 1:] = -torch.inf
    found = _searched(builder, replace(state, nats=nats), _most_probable)
    order = found.nats.sort(dim=1, descending=True, stable=True).indices
    return _taken(found, order)


def drawn_answers(builder: Builder[P], seeds: Ints, narrow: Narrows) -> P:
    """Return answers drawn step by step, each by itself.

    Of a step the choice is drawn first, then its label.

    Args:
        builder: Knows what may come next.
        seeds: Of each answer, shape (n_items, n_answers).
        narrow: Which choices may be drawn.

    """

    def choose(before: Tensor, steps: NextSteps, step: int) -> _Chosen:
        n = 1 if steps.labels is None else 2
        numbers = uniform(seeds.reshape(-1), n * (step + 1))[:, -n:]
        first, *second = torch.from_numpy(numbers.T.copy()).view(n, *seeds.shape)
        choice, label = drawn(narrow(steps.nats), first), None
        nats = _at(steps.nats, choice)
        if steps.labels is not None:
            labels = _at(steps.labels, choice)
            label = drawn(narrow(labels), second[0])
            nats = nats + _at(labels, label)
        origin = torch.arange(seeds.shape[1], device=nats.device).expand_as(choice)
        return _Chosen(origin, choice, label, before + nats)

    return _searched(builder, builder.begin(seeds.shape[1]), choose)


def picked(value: Any, index: Any) -> Any:  # noqa: ANN401 - any record of tensors
    """Return the rows of every tensor in a dataclass, or a tuple, of tensors."""
    if is_dataclass(value) and not isinstance(value, type):
        every = {one.name: getattr(value, one.name) for one in fields(value)}
        return replace(value, **{k: picked(part, index) for k, part in every.items()})
    if isinstance(value, tuple):
        return tuple(picked(part, index) for part in value)
    return value[index]


def first_hidden(start: Hidden, beam: int) -> Hidden:
    """Return a decoder's first states, shape (n_items, …), once for each answer."""
    return tuple(part.unsqueeze(1).expand(-1, beam, -1) for part in start)


def lstm_step(lstm: nn.LSTM, inputs: Tensor, hidden: Hidden) -> tuple[Tensor, Hidden]:
    """Return an LSTM's outputs for one step, and its states after it.

    Args:
        lstm: Of one layer.
        inputs: Shape (n_items, beam, n_numbers).
        hidden: Hidden states and cells before the step.

    """
    n, beam = inputs.shape[:2]
    start = tuple(part.reshape(1, n * beam, -1).contiguous() for part in hidden)
    flat = inputs.reshape(1, n * beam, -1)
    out, after = lstm(flat.transpose(0, 1) if lstm.batch_first else flat, start)
    return out.reshape(n, beam, -1), tuple(part.view(n, beam, -1) for part in after)


@dataclass(frozen=True, slots=True)
class _Chosen:
    """How answers go on; each of shape (n_items, beam).

    Attributes:
        origin: Which answer each continues.
        choice: By which step.
        label: Of that choice, where choices have labels.
        nats: Log p with it.

    """

    origin: Tensor
    choice: Tensor
    label: Tensor | None
    nats: Tensor


_Chooses: TypeAlias = Callable[[Tensor, NextSteps, int], _Chosen]
"""Chooses by log p so far, what may come next, and the number of the step."""


def _searched(builder: Builder[P], state: P, choose: _Chooses) -> P:
    """Build answers until all are complete."""
    stay = torch.arange(state.nats.shape[1], device=state.nats.device)
    for step in range(builder.most_steps):
        is_over = state.is_done | state.nats.isneginf()
        if bool(is_over.all()):
            break
        steps, state = builder.next_steps(state)
        chosen = choose(state.nats, _with_staying(steps, state.is_done), step)
        is_over = is_over.all(dim=1, keepdim=True)
        moved = _taken(state, torch.where(is_over, stay, chosen.origin))
        nats = torch.where(is_over, state.nats, chosen.nats)
        state = builder.extended(replace(moved, nats=nats), chosen.choice, chosen.label)
    return state


def _with_staying(steps: NextSteps, is_done: Tensor) -> NextSteps:
    """Let complete answers stay in the beam, with log p 0 for their first choice."""
    stays = torch.full_like(steps.nats, -torch.inf)
    stays[..., 0] = 0.0
    return replace(steps, nats=torch.where(is_done.unsqueeze(-1), stays, steps.nats))


def _most_probable(before: Tensor, steps: NextSteps, _: int) -> _Chosen:
    """Keep the most probable continuations of all answers to an input together."""
    nats, label = steps.nats, None
    if steps.labels is not None:
        best, label = steps.labels.max(dim=-1)
        nats = nats + best
    total = (before.unsqueeze(-1) + nats).flatten(1)
    kept = total.topk(before.shape[1], dim=1)
    origin, choice = kept.indices // nats.shape[-1], kept.indices % nats.shape[-1]
    if label is not None:
        rows = torch.arange(len(origin), device=origin.device).unsqueeze(-1)
        label = label[rows, origin, choice]
    return _Chosen(origin, choice, label, kept.values)


def _taken(state: P, origin: Tensor) -> P:
    rows = torch.arange(len(origin), device=origin.device).unsqueeze(-1)
    found: P = picked(state, (rows, origin))
    return found


def _at(values: Tensor, position: Tensor) -> Tensor:
    """Return what stands at a position of the third axis."""
    rows = torch.arange(values.shape[0], device=values.device)[:, None]
    columns = torch.arange(values.shape[1], device=values.device)
    return values[rows, columns, position]
