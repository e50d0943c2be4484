"""How tree seq2seq models write trees, token by token, a batch at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from compat_eval.models.decoding.search import (
    Hidden,
    NextSteps,
    PartialAnswers,
    first_hidden,
    lstm_step,
    weighted,
)
from compat_eval.models.tree_seq2seq.actions import (
    CLOSE,
    COPY,
    DEEPEST,
    FIRST_LABEL,
    NOTHING,
    possible,
)
from compat_eval.models.tree_seq2seq.network import TreeNetwork, UtteranceMemory

_NEVER = -1
"""Token of a tree that was complete before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialTexts(PartialAnswers):
    """Trees that are being written; every tensor has shape (n_utterances, beam, …).

    Attributes:
        tokens: What is written.
        stack: Open labels, from 1, `DEEPEST` + 1 places.
        depths, positions, is_bare, before: See `PaddedDerivations`.
        hidden: Each model's decoder's hidden states and cells.

    """

    tokens: Tensor
    stack: Tensor
    depths: Tensor
    positions: Tensor
    is_bare: Tensor
    before: Tensor
    hidden: tuple[Hidden, ...]

    @property
    def tops(self) -> Tensor:
        """Labels opened last."""
        return self.stack.gather(-1, self.depths.unsqueeze(-1)).squeeze(-1)


@dataclass(frozen=True, slots=True, kw_only=True)
class WriterVote:
    """One of the models that write together, with the utterances that it has read.

    Attributes:
        network: Gives log p.
        memory: The utterances.
        weight: Its share in every step.
        numbers: Its number of each label of the first model, -1 where it has none;
            `None` where they are the same.

    """

    network: TreeNetwork
    memory: UtteranceMemory
    weight: float
    numbers: Tensor | None

    def next_steps(
        self, state: PartialTexts, hidden: Hidden, groups: Tensor
    ) -> tuple[Tensor, Hidden]:
        """Return log p of the first model's tokens; nan for unknown ones."""
        network, before, tops = self.network, state.before, state.tops
        token = None
        if self.numbers is not None:
            token = _token_numbers(self.numbers)
            before, tops = _from_one(token)[before], _from_one(self.numbers)[tops]
        inputs, ahead = network.inputs(self.memory, before, tops, state.positions)
        out, after = lstm_step(network.decoder, inputs, hidden)
        nats = network.nats(self.memory, out, ahead, state.positions, groups)
        if token is not None:
            nats = nats[..., token.clamp(min=0)].masked_fill(token < 0, torch.nan)
        return nats, after


def _from_one(numbers: Tensor) -> Tensor:
    """Return numbers from 1, `NOTHING` first; -1 becomes `NOTHING`."""
    return torch.nn.functional.pad(numbers + 1, (1, 0), value=NOTHING)


def _token_numbers(labels: Tensor) -> Tensor:
    """Return a model's number of each token, from 0; -1 where it has none."""
    opening = torch.where(labels < 0, -1, labels + FIRST_LABEL)
    return torch.cat([labels.new_tensor([COPY, CLOSE]), opening])


@dataclass(frozen=True, slots=True)
class TreeWriter:
    """Writes trees token by token: a `Builder`.

    For a label that another model does not know, the first model's log p is used.

    Attributes:
        votes: One model, or several that read the same utterances; the first one's
            labels are used.

    """

    votes: Sequence[WriterVote]

    @property
    def most_steps(self) -> int:
        """Tokens of the largest tree.

        No label is closed without a word, and at most `DEEPEST` are opened over one.
        """
        n_words = self.votes[0].memory.n_words
        return int(n_words.max()) * (2 * DEEPEST + 1) + 2

    def begin(self, beam: int) -> PartialTexts:
        """Return empty trees."""
        memory = self.votes[0].memory
        numbers = torch.zeros(
            (len(memory.n_words), beam), dtype=torch.long, device=memory.n_words.device
        )
        return PartialTexts(
            tokens=numbers.unsqueeze(-1)[..., :0],
            stack=numbers.unsqueeze(-1).repeat(1, 1, DEEPEST + 1),
            depths=numbers,
            positions=numbers + 1,
            is_bare=torch.ones_like(numbers, dtype=torch.bool),
            before=numbers + NOTHING,
            hidden=tuple(first_hidden(vote.memory.start, beam) for vote in self.votes),
            nats=torch.zeros_like(numbers, dtype=memory.states.dtype),
            is_done=torch.zeros_like(numbers, dtype=torch.bool),
        )

    def next_steps(self, state: PartialTexts) -> tuple[NextSteps, PartialTexts]:
        """Return the next token's log p, and the decoders' states after this step."""
        first = self.votes[0]
        groups = possible(
            positions=state.positions,
            depths=state.depths,
            is_bare=state.is_bare,
            in_slot=first.network.is_slot[state.tops],
            n_words=first.memory.n_words,
        )
        nats: list[Tensor] = []
        hidden: list[Hidden] = []
        for vote, before in zip(self.votes, state.hidden, strict=True):
            found, after = vote.next_steps(state, before, groups)
            if vote.numbers is not None:
                found = torch.where(found.isnan(), nats[0], found)
            nats.append(found)
            hidden.append(after)
        steps = NextSteps(weighted([vote.weight for vote in self.votes], nats))
        return steps, replace(state, hidden=tuple(hidden))

    def extended(
        self, state: PartialTexts, choice: Tensor, label: Tensor | None
    ) -> PartialTexts:
        """Write a token of each tree."""
        assert label is None
        goes_on = ~state.is_done
        copy, close = (choice == COPY) & goes_on, (choice == CLOSE) & goes_on
        opens = (choice >= FIRST_LABEL) & goes_on
        depths = (state.depths + opens.long() - close.long()).clamp(0, DEEPEST)
        place = depths.unsqueeze(-1)
        opened = (choice - FIRST_LABEL + 1).unsqueeze(-1)
        there = state.stack.gather(-1, place)
        now = torch.where(opens.unsqueeze(-1), opened, there)
        token = choice.masked_fill(state.is_done, _NEVER).unsqueeze(-1)
        return replace(
            state,
            tokens=torch.cat([state.tokens, token], dim=-1),
            stack=state.stack.scatter(-1, place, now),
            depths=depths,
            positions=state.positions + copy.long(),
            is_bare=torch.where(goes_on, opens, state.is_bare),
            before=torch.where(goes_on, choice + 1, state.before),
            is_done=state.is_done | (close & (depths == 0)),
        )
