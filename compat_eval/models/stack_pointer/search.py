"""How stack-pointer parsers build trees, a batch at a time."""

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
from compat_eval.models.parsing.label_views import under
from compat_eval.models.stack_pointer.actions import possible_actions
from compat_eval.models.stack_pointer.network import SentenceMemory, StackPointerNetwork


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialTrees(PartialAnswers):
    """Trees that are being built; every tensor has shape (n_sentences, beam, …).

    Attributes:
        stack: Words, the root at the bottom.
        depth: How many of them are on the stack.
        heads: Of each token, the root's own in front.
        labels: Relation of each token.
        last: Child of each token that was attached last; 0 for none.
        attached: Which tokens have a head, the root counted as one.
        hidden: Each parser's decoder's hidden states and cells.

    """

    stack: Tensor
    depth: Tensor
    heads: Tensor
    labels: Tensor
    last: Tensor
    attached: Tensor
    hidden: tuple[Hidden, ...]

    @property
    def top(self) -> Tensor:
        """Words on top of the stack."""
        return _at(self.stack, self.depth - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParserVote:
    """One of the parsers that decide together, with the sentences that it has read.

    Attributes:
        network: Scores actions.
        memory: The sentences.
        weight: Its share in every step.
        numbers: Its number of each relation of the first parser, -1 where it has
            none; `None` where they are the same.

    """

    network: StackPointerNetwork
    memory: SentenceMemory
    weight: float = 1.0
    numbers: Tensor | None = None

    def next_steps(
        self, state: PartialTrees, hidden: Hidden, possible: Tensor
    ) -> tuple[Tensor, Tensor, Hidden]:
        """Return log p of pointing to each token, and of each relation there."""
        network, top = self.network, state.top
        inputs = network.inputs(
            self.memory, top, _at(state.last, top), _at(state.heads, top)
        )
        decoded, after = lstm_step(network.decoder, inputs, hidden)
        arc, label = network.asked(decoded)
        scores = network.pointer_scores(self.memory, arc)
        nats = scores.masked_fill(~possible, -torch.inf).log_softmax(dim=-1)
        labels = network.label_table(self.memory, label).log_softmax(dim=-1)
        return nats, labels, after


@dataclass(frozen=True, slots=True)
class TreeBuilder:
    """Builds trees action by action: a `Builder`.

    Attributes:
        votes: One parser, or several that read the same sentences; the first one's
            relations are used.
        lengths: Tokens of the sentences, the root among them; shape (n_sentences,).

    """

    votes: Sequence[ParserVote]
    lengths: Tensor

    @property
    def most_steps(self) -> int:
        """Actions of the largest tree."""
        return 2 * int(self.lengths.max()) - 1

    def begin(self, beam: int) -> PartialTrees:
        """Return trees that consist of the root."""
        states = self.votes[0].memory.states
        n, width = states.shape[:2]
        numbers = torch.zeros((n, beam, width), dtype=torch.long, device=states.device)
        attached = torch.zeros_like(numbers, dtype=torch.bool)
        attached[..., 0] = True
        return PartialTrees(
            stack=torch.nn.functional.pad(numbers, (0, 1)),
            depth=torch.ones_like(numbers[..., 0]),
            heads=numbers,
            labels=numbers.clone(),
            last=numbers.clone(),
            attached=attached,
            hidden=tuple(first_hidden(vote.memory.start, beam) for vote in self.votes),
            nats=torch.zeros((n, beam), device=states.device),
            is_done=torch.zeros((n, beam), dtype=torch.bool, device=states.device),
        )

    def next_steps(self, state: PartialTrees) -> tuple[NextSteps, PartialTrees]:
        """Return the next action's log p, and the decoders' states after this step."""
        top = state.top
        possible = possible_actions(
            top, _at(state.heads, top), state.attached, self.lengths.unsqueeze(-1)
        )
        pointers: list[Tensor] = []
        labels: list[Tensor] = []
        hidden: list[Hidden] = []
        for vote, before in zip(self.votes, state.hidden, strict=True):
            pointer, label, after = vote.next_steps(state, before, possible)
            if vote.numbers is not None:
                label = under(label, vote.numbers, labels[0])
            pointers.append(pointer)
            labels.append(label)
            hidden.append(after)
        weights = [vote.weight for vote in self.votes]
        steps = NextSteps(
            weighted(weights, pointers).masked_fill(~possible, -torch.inf),
            _without_label_at(weighted(weights, labels), top),
        )
        return steps, replace(state, hidden=tuple(hidden))

    def extended(
        self, state: PartialTrees, choice: Tensor, label: Tensor | None
    ) -> PartialTrees:
        """Push the word that is pointed to, or take the top off."""
        assert label is not None
        top, room = state.top, state.stack.shape[-1]
        push = (choice != top) & ~state.is_done
        pop = (choice == top) & ~state.is_done
        return replace(
            state,
            stack=_put(state.stack, state.depth.clamp(max=room - 1), choice, push),
            depth=(state.depth + push.long() - pop.long()).clamp(1, room),
            heads=_put(state.heads, choice, top, push),
            labels=_put(state.labels, choice, label, push),
            last=_put(state.last, top, choice, push),
            attached=_put(state.attached, choice, push, push),
            is_done=state.is_done | (pop & (top == 0)),
        )


def _without_label_at(labels: Tensor, top: Tensor) -> Tensor:
    """Return labels' log p where taking the top off has no choice of labels."""
    rows = torch.arange(labels.shape[0], device=top.device)[:, None]
    columns = torch.arange(labels.shape[1], device=top.device)
    none = labels.new_full(labels.shape[-1:], -torch.inf)
    none[0] = 0.0
    labels = labels.clone()
    labels[rows, columns, top] = none
    return labels


def _at(values: Tensor, position: Tensor) -> Tensor:
    return values.gather(-1, position.unsqueeze(-1)).squeeze(-1)


def _put(values: Tensor, position: Tensor, what: Tensor, where: Tensor) -> Tensor:
    """Set one number of the last axis, where asked."""
    now = torch.where(where, what, _at(values, position))
    return values.scatter(-1, position.unsqueeze(-1), now.unsqueeze(-1))
