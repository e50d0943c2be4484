"""Trees found token by token: by a beam, or by chance; a batch at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import torch
from torch import Tensor

from compat_eval.models.tree_seq2seq.actions import (
    CLOSE,
    COPY,
    DEEPEST,
    FIRST_LABEL,
    NOTHING,
    possible,
    slots_of,
)
from compat_eval.models.tree_seq2seq.writing import Partial, Writer

_NEVER = -1
"""Token of a tree that was complete before."""


Chosen: TypeAlias = tuple[Tensor, Tensor, Tensor]
"""Which tree goes on, by which token, and its log p; each (n_utterances, beam)."""

Chooses: TypeAlias = Callable[[Tensor, Tensor, int], Chosen]
"""Chooses by log p so far, log p of the tokens, and the number of the step."""


@dataclass(frozen=True, slots=True)
class Found:
    """Trees of each utterance.

    Attributes:
        tokens: Of each tree, shape (n_utterances, beam, n_tokens).
        nats: log p, shape (n_utterances, beam); -inf for none.

    """

    tokens: Tensor
    nats: Tensor


def beam_search(writer: Writer, beam: int) -> Found:
    """Return the trees that a beam ends with, the most probable first.

    Trees compete by their log p, which is not divided by their length.

    Args:
        writer: Gives log p.
        beam: How many trees of an utterance are kept, at least 1; 1 is greedy.

    """
    found = search(writer, beam, _best)
    order = found.nats.sort(dim=1, descending=True, stable=True).indices
    rows = torch.arange(len(order), device=order.device).unsqueeze(-1)
    return Found(found.tokens[rows, order], found.nats[rows, order])


def search(writer: Writer, beam: int, choose: Chooses, *, apart: bool = False) -> Found:
    """Write trees until all are complete.

    It ends: no label is closed without a word, and at most `DEEPEST` are opened
    over one.

    Args:
        writer: Gives log p.
        beam: How many trees of an utterance are written at once.
        choose: Decides how they go on.
        apart: Whether they all count from the start, each for itself.

    """
    is_slot = torch.tensor(slots_of(writer.labels), device=writer.n_words.device)
    state = _start(writer, beam, apart=apart)
    origins: list[Tensor] = []
    tokens: list[Tensor] = []
    for _ in range(_most_tokens(writer)):
        if bool((state.is_done | state.nats.isneginf()).all()):
            break
        groups = possible(
            positions=state.positions,
            depths=state.depths,
            is_bare=state.is_bare,
            in_slot=is_slot[state.tops],
            n_words=writer.n_words,
        )
        nats, hidden = writer.next_nats(state, groups)
        stays = torch.full_like(nats, -torch.inf)
        stays[..., COPY] = 0.0
        nats = torch.where(state.is_done.unsqueeze(-1), stays, nats)
        nats = nats.masked_fill(state.nats.isneginf().unsqueeze(-1), -torch.inf)
        origin, token, total = choose(state.nats, nats, len(tokens))
        state = replace(state, hidden=hidden).take(origin)
        origins.append(origin)
        tokens.append(token.masked_fill(state.is_done, _NEVER))
        state = _written(replace(state, nats=total), token)
    return Found(_traced(origins, tokens, state), state.nats)


def _most_tokens(writer: Writer) -> int:
    return int(writer.n_words.max()) * (2 * DEEPEST + 1) + 2


def _start(writer: Writer, beam: int, *, apart: bool) -> Partial:
    hidden = writer.begin(beam)
    numbers = torch.zeros(
        (len(writer.n_words), beam), dtype=torch.long, device=writer.n_words.device
    )
    nats = torch.zeros_like(numbers, dtype=hidden[0].dtype)
    if not apart:
        nats[:, 1:] = -torch.inf
    return Partial(
        stack=numbers.unsqueeze(-1).repeat(1, 1, DEEPEST + 1),
        depths=numbers,
        positions=numbers + 1,
        is_bare=torch.ones_like(numbers, dtype=torch.bool),
        before=numbers + NOTHING,
        hidden=hidden,
        nats=nats,
        is_done=torch.zeros_like(numbers, dtype=torch.bool),
    )


def _best(before: Tensor, nats: Tensor, _: int) -> Chosen:
    n_tokens = nats.shape[-1]
    total = (before.unsqueeze(-1) + nats).flatten(1)
    kept = total.topk(before.shape[1], dim=1)
    return kept.indices // n_tokens, kept.indices % n_tokens, kept.values


def _written(state: Partial, token: Tensor) -> Partial:
    """Write a token of each tree; complete ones stay as they are."""
    goes_on = ~state.is_done
    copy, close = (token == COPY) & goes_on, (token == CLOSE) & goes_on
    opens = (token >= FIRST_LABEL) & goes_on
    depths = (state.depths + opens.long() - close.long()).clamp(0, DEEPEST)
    place = depths.unsqueeze(-1)
    label = (token - FIRST_LABEL + 1).unsqueeze(-1)
    there = state.stack.gather(-1, place)
    now = torch.where(opens.unsqueeze(-1), label, there)
    return replace(
        state,
        stack=state.stack.scatter(-1, place, now),
        depths=depths,
        positions=state.positions + copy.long(),
        is_bare=torch.where(goes_on, opens, state.is_bare),
        before=torch.where(goes_on, token + 1, state.before),
        is_done=state.is_done | (close & (depths == 0)),
    )


def _traced(
    origins: Sequence[Tensor], tokens: Sequence[Tensor], state: Partial
) -> Tensor:
    """Follow each tree back to its first token."""
    at = torch.arange(state.nats.shape[1], device=state.nats.device)
    at = at.expand_as(state.nats)
    found = []
    for origin, token in zip(reversed(origins), reversed(tokens), strict=True):
        found.append(token.gather(1, at))
        at = origin.gather(1, at)
    return torch.stack(found[::-1], dim=-1)
