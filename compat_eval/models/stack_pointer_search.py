"""Beam search over the actions of a stack-pointer parser, a batch at a time."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from compat_eval.models.stack_pointer import Memory, StackPointerNetwork
from compat_eval.models.stack_pointer_steps import possible_actions


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Trees of each sentence, the most probable first.

    Attributes:
        heads: Shape (n_sentences, beam, width), the root's own in front.
        labels: Likewise.
        nats: log p of each, shape (n_sentences, beam); -inf for none.

    """

    heads: Tensor
    labels: Tensor
    nats: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class _Beam:
    """Partial trees; every tensor has shape (n_sentences, beam, …)."""

    stack: Tensor
    depth: Tensor
    heads: Tensor
    labels: Tensor
    last: Tensor
    attached: Tensor
    hidden: Tensor
    cells: Tensor
    nats: Tensor

    def at(self, values: Tensor, position: Tensor) -> Tensor:
        return values.gather(-1, position.unsqueeze(-1)).squeeze(-1)

    @property
    def top(self) -> Tensor:
        return self.at(self.stack, self.depth - 1)


def beam_search(
    network: StackPointerNetwork, memory: Memory, lengths: Tensor, beam: int
) -> Found:
    """Return the trees that a beam of partial trees ends with.

    Args:
        network: Scores actions.
        memory: The sentences it read.
        lengths: Their tokens, the root among them; shape (n_sentences,).
        beam: How many partial trees of a sentence are kept, at least 1.

    """
    state = _start(memory, beam)
    for step in range(2 * int(lengths.max()) - 1):
        is_active = step < 2 * lengths - 1
        state = _advance(network, memory, lengths, is_active, state)
    order = state.nats.sort(dim=1, descending=True, stable=True).indices
    rows = torch.arange(len(order), device=order.device).unsqueeze(-1)
    return Found(
        heads=state.heads[rows, order],
        labels=state.labels[rows, order],
        nats=state.nats[rows, order],
    )


def _start(memory: Memory, beam: int) -> _Beam:
    n, width = memory.states.shape[:2]
    numbers = torch.zeros(
        (n, beam, width), dtype=torch.long, device=memory.states.device
    )
    attached = torch.zeros_like(numbers, dtype=torch.bool)
    attached[..., 0] = True
    nats = memory.states.new_full((n, beam), -torch.inf)
    nats[:, 0] = 0.0
    hidden, cells = memory.start
    return _Beam(
        stack=torch.nn.functional.pad(numbers, (0, 1)),
        depth=torch.ones((n, beam), dtype=torch.long, device=nats.device),
        heads=numbers,
        labels=numbers.clone(),
        last=numbers.clone(),
        attached=attached,
        hidden=hidden.unsqueeze(1).expand(-1, beam, -1),
        cells=cells.unsqueeze(1).expand(-1, beam, -1),
        nats=nats,
    )


def _advance(
    network: StackPointerNetwork,
    memory: Memory,
    lengths: Tensor,
    is_active: Tensor,
    state: _Beam,
) -> _Beam:
    top = state.top
    state, decoded = _decoded(network, memory, state, top)
    arc, label = network.asked(decoded)
    possible = possible_actions(
        top, state.at(state.heads, top), state.attached, lengths.unsqueeze(-1)
    )
    scores = network.pointer_scores(memory, arc).masked_fill(~possible, -torch.inf)
    nats = scores.log_softmax(dim=-1).masked_fill(~possible, -torch.inf)
    named = network.label_scores(
        label.unsqueeze(2), memory.label_child.unsqueeze(1)
    ).log_softmax(dim=-1)
    best, which = named.max(dim=-1)
    at = torch.arange(nats.shape[-1], device=nats.device)
    total = state.nats.unsqueeze(-1) + torch.where(
        at == top.unsqueeze(-1), nats, nats + best
    )
    stay = state.nats.unsqueeze(-1).masked_fill(at > 0, -torch.inf)
    total = torch.where(is_active[:, None, None], total, stay)
    kept = total.flatten(1).topk(state.nats.shape[1], dim=1)
    origin, pointed = kept.indices // len(at), kept.indices % len(at)
    rows = torch.arange(len(origin), device=origin.device).unsqueeze(-1)
    moved = _Beam(
        stack=state.stack[rows, origin],
        depth=state.depth[rows, origin],
        heads=state.heads[rows, origin],
        labels=state.labels[rows, origin],
        last=state.last[rows, origin],
        attached=state.attached[rows, origin],
        hidden=state.hidden[rows, origin],
        cells=state.cells[rows, origin],
        nats=kept.values,
    )
    return _acted(moved, pointed, which[rows, origin, pointed], is_active)


def _decoded(
    network: StackPointerNetwork, memory: Memory, state: _Beam, top: Tensor
) -> tuple[_Beam, Tensor]:
    inputs = network.inputs(
        memory, top, state.at(state.last, top), state.at(state.heads, top)
    )
    n, beam = top.shape
    start = (
        state.hidden.reshape(1, n * beam, -1).contiguous(),
        state.cells.reshape(1, n * beam, -1).contiguous(),
    )
    out, (hidden, cells) = network.decoder(inputs.reshape(1, n * beam, -1), start)
    shape = (n, beam, -1)
    after = replace(state, hidden=hidden.view(shape), cells=cells.view(shape))
    return after, out.view(shape)


def _acted(state: _Beam, pointed: Tensor, label: Tensor, is_active: Tensor) -> _Beam:
    """Push what is pointed to, or take the top off; sentences that are done stay."""
    top = state.top
    push = (pointed != top) & is_active[:, None]
    pop = (pointed == top) & is_active[:, None]
    depth = (state.depth + push.long() - pop.long()).clamp(1, state.stack.shape[-1])
    return replace(
        state,
        stack=_put(
            state.stack, state.depth.clamp(max=state.stack.shape[-1] - 1), pointed, push
        ),
        depth=depth,
        heads=_put(state.heads, pointed, top, push),
        labels=_put(state.labels, pointed, label, push),
        last=_put(state.last, top, pointed, push),
        attached=_put(state.attached, pointed, push, push),
    )


def _put(values: Tensor, position: Tensor, what: Tensor, where: Tensor) -> Tensor:
    """Set one number of the last axis, where asked."""
    before = values.gather(-1, position.unsqueeze(-1)).squeeze(-1)
    now = torch.where(where, what, before)
    return values.scatter(-1, position.unsqueeze(-1), now.unsqueeze(-1))
