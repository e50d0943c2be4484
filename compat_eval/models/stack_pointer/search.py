"""Search over the actions of stack-pointer parsers, a batch at a time.

Several parsers may decide together: the log-probabilities of each step are their
weighted sum.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import torch
from torch import Tensor

from compat_eval.models.parsing.label_views import under
from compat_eval.models.stack_pointer.actions import possible_actions
from compat_eval.models.stack_pointer.network import Memory, StackPointerNetwork
from compat_eval.models.stack_pointer.partial import Partial


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Trees of each sentence.

    Attributes:
        heads: Shape (n_sentences, beam, width), the root's own in front.
        labels: Likewise.
        nats: log p of each, shape (n_sentences, beam); -inf for none.

    """

    heads: Tensor
    labels: Tensor
    nats: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """One of the parsers that decide together.

    Attributes:
        network: Scores actions.
        memory: The sentences it read.
        weight: Its share in every step.
        labels: Its number of each relation of the first parser, -1 where it has
            none; `None` where they are the same, as for the first parser itself.

    """

    network: StackPointerNetwork
    memory: Memory
    weight: float = 1.0
    labels: Tensor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What may come next; nats of the weighted parsers together.

    Attributes:
        before: Log p of each partial tree, shape (n_sentences, beam).
        pointer: Of each position, shape (n_sentences, beam, width); -inf where
            it is impossible.
        label: Of each relation there, shape (n_sentences, beam, width, labels).
        top: The position that takes a word off, shape (n_sentences, beam).
        step: How many actions there were.

    """

    before: Tensor
    pointer: Tensor
    label: Tensor
    top: Tensor
    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Partial trees that go on; each of shape (n_sentences, beam).

    Attributes:
        origin: Which partial tree each continues.
        pointed: Where it points.
        label: The relation, where that is no taking off.
        nats: Log p with that action.

    """

    origin: Tensor
    pointed: Tensor
    label: Tensor
    nats: Tensor


Chooses: TypeAlias = Callable[[Options], Choice]


def beam_search(voices: Sequence[Voice], lengths: Tensor, beam: int) -> Found:
    """Return the trees that a beam of partial trees ends with.

    Args:
        voices: One parser, or several that read the same sentences.
        lengths: Their tokens, the root among them; shape (n_sentences,).
        beam: How many partial trees of a sentence are kept, at least 1.

    """
    first = torch.full((len(lengths), beam), -torch.inf, device=lengths.device)
    first[:, 0] = 0.0
    found = search(voices, lengths, first, _best_of_all)
    order = found.nats.sort(dim=1, descending=True, stable=True).indices
    rows = torch.arange(len(order), device=order.device).unsqueeze(-1)
    return Found(
        heads=found.heads[rows, order],
        labels=found.labels[rows, order],
        nats=found.nats[rows, order],
    )


def search(
    voices: Sequence[Voice], lengths: Tensor, first: Tensor, choose: Chooses
) -> Found:
    """Return the trees that partial trees end as.

    Args:
        voices: See `beam_search`.
        lengths: Likewise.
        first: Log p of the partial trees to begin with, shape (n_sentences, beam).
        choose: Which of all continuations are kept.

    """
    state = Partial.begin(
        first,
        [voice.memory.start for voice in voices],
        width=voices[0].memory.states.shape[1],
    )
    for step in range(2 * int(lengths.max()) - 1):
        state, options = _options(voices, lengths, state, step)
        state = _continued(state, choose(options), step < 2 * lengths - 1)
    return Found(heads=state.heads, labels=state.labels, nats=state.nats)


def _best_of_all(options: Options) -> Choice:
    """Keep the continuations that are most probable, of all partial trees together."""
    best, label = options.label.max(dim=-1)
    width = best.shape[-1]
    at = torch.arange(width, device=best.device)
    is_pop = at == options.top.unsqueeze(-1)
    step = torch.where(is_pop, options.pointer, options.pointer + best)
    total = options.before.unsqueeze(-1) + step
    kept = total.flatten(1).topk(total.shape[1], dim=1)
    origin, pointed = kept.indices // width, kept.indices % width
    rows = torch.arange(len(origin), device=origin.device).unsqueeze(-1)
    return Choice(
        origin=origin,
        pointed=pointed,
        label=label[rows, origin, pointed],
        nats=kept.values,
    )


def _options(
    voices: Sequence[Voice], lengths: Tensor, state: Partial, step: int
) -> tuple[Partial, Options]:
    """Return what the parsers say of the next step, and their states after it."""
    top = state.top
    possible = possible_actions(
        top, state.grandparent, state.attached, lengths.unsqueeze(-1)
    )
    pointers: list[Tensor] = []
    labels: list[Tensor] = []
    hidden, cells = list(state.hidden), list(state.cells)
    for at, voice in enumerate(voices):
        decoded, hidden[at], cells[at] = _decoded(voice, state, at, top)
        pointer, label = _nats(voice, decoded, possible)
        if voice.labels is not None:
            label = under(label, voice.labels, labels[0])
        pointers.append(pointer)
        labels.append(label)
    pointer, label = pointers[0], labels[0]
    if len(voices) > 1:
        weights = [voice.weight for voice in voices]
        pointer, label = _weighted(weights, pointers), _weighted(weights, labels)
    options = Options(
        before=state.nats,
        pointer=pointer.masked_fill(~possible, -torch.inf),
        label=label,
        top=top,
        step=step,
    )
    return replace(state, hidden=tuple(hidden), cells=tuple(cells)), options


def _weighted(weights: Sequence[float], nats: Sequence[Tensor]) -> Tensor:
    pairs = zip(weights, nats, strict=True)
    return torch.stack([weight * one for weight, one in pairs if weight]).sum(dim=0)


def _nats(voice: Voice, decoded: Tensor, possible: Tensor) -> tuple[Tensor, Tensor]:
    """Return one parser's log p of pointing and of its relations."""
    network, memory = voice.network, voice.memory
    arc, label = network.asked(decoded)
    scores = network.pointer_scores(memory, arc).masked_fill(~possible, -torch.inf)
    named = network.label_table(memory, label).log_softmax(dim=-1)
    return scores.log_softmax(dim=-1), named


def _decoded(
    voice: Voice, state: Partial, at: int, top: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    inputs = voice.network.inputs(voice.memory, top, state.sibling, state.grandparent)
    n, beam = top.shape
    start = (
        state.hidden[at].reshape(1, n * beam, -1).contiguous(),
        state.cells[at].reshape(1, n * beam, -1).contiguous(),
    )
    out, after = voice.network.decoder(inputs.reshape(1, n * beam, -1), start)
    hidden, cells = after
    shape = (n, beam, -1)
    return out.view(shape), hidden.view(shape), cells.view(shape)


def _continued(state: Partial, chosen: Choice, is_active: Tensor) -> Partial:
    """Go on with what was chosen; sentences that are done stay as they are."""
    stay = torch.arange(state.nats.shape[1], device=state.nats.device)
    active = is_active[:, None]
    moved = replace(
        state.take(torch.where(active, chosen.origin, stay)),
        nats=torch.where(active, chosen.nats, state.nats),
    )
    return moved.acted(chosen.pointed, chosen.label, is_active)
