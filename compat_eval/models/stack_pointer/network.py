"""The stack-pointer parser's network: a decoder that points to the next child.

Ma et al., "Stack-Pointer Networks for Dependency Parsing", ACL 2018,
https://arxiv.org/abs/1805.01087. Differences: trees have one root; an action that
could not lead to such a tree has probability 0, in training too; taking a word off
the stack has no relation; the decoder starts from the encoder's outer states.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import elu

from compat_eval.models.parsing.batching import SentenceBatch
from compat_eval.models.parsing.dropout import SharedDropout
from compat_eval.models.parsing.encoder import EncoderSizes, SentenceEncoder
from compat_eval.models.stack_pointer.actions import PaddedActions


@dataclass(frozen=True, slots=True, kw_only=True)
class StackPointerSizes:
    """Sizes of the parser.

    Attributes:
        encoder: Of the sentence encoder.
        input_width: Numbers that stand for the stack, as the decoder reads it.
        decoder: Cells of the decoder.
        arc_width: Numbers that stand for a word in pointing.
        label_width: The same for the choice of the relation.
        labels: How many relations there are.

    """

    encoder: EncoderSizes
    input_width: int
    decoder: int
    arc_width: int
    label_width: int
    labels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceMemory:
    """A batch that was read.

    Attributes:
        states: Of each token, shape (n_sentences, width, 2 × hidden).
        arc_child: Each token as something to point to, (n_sentences, width, …).
        label_child: Each token as a child with a relation, likewise.
        start: Hidden state and cells of the decoder, each (n_sentences, decoder).

    """

    states: Tensor
    arc_child: Tensor
    label_child: Tensor
    start: tuple[Tensor, Tensor]


class StackPointerNetwork(nn.Module):
    """Scores for every action, given the actions before it."""

    def __init__(self, sizes: StackPointerSizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.encoder = SentenceEncoder(sizes.encoder)
        states, views = 2 * sizes.encoder.hidden, sizes.arc_width + sizes.label_width
        self.source = nn.Linear(states, sizes.input_width)
        self.start = nn.Linear(states, sizes.decoder)
        self.decoder = nn.LSTM(sizes.input_width, sizes.decoder)
        self.child = nn.Linear(states, views)
        self.top = nn.Linear(sizes.decoder, views)
        self.read = SharedDropout(sizes.encoder.dropout)
        self.decoded = SharedDropout(sizes.encoder.dropout)
        self.viewed = SharedDropout(sizes.encoder.dropout)
        self.arc = nn.Parameter(torch.zeros(sizes.arc_width + 1, sizes.arc_width))
        with_one = sizes.label_width + 1
        self.label = nn.Parameter(torch.zeros(with_one, sizes.labels, with_one))

    def encode(self, batch: SentenceBatch) -> SentenceMemory:
        """Read a batch."""
        return self.remembered(self.encoder(batch), batch)

    def remembered(self, states: Tensor, batch: SentenceBatch) -> SentenceMemory:
        """Return what the decoder needs of an encoded batch."""
        hidden = self.sizes.encoder.hidden
        rows = torch.arange(len(states), device=states.device)
        ends = [states[rows, batch.lengths - 1, :hidden], states[:, 0, hidden:]]
        cells = self.start(torch.cat(ends, dim=-1))
        arc, label = self._views(self.read(elu(self.child(states))))
        return SentenceMemory(
            states=states,
            arc_child=arc,
            label_child=label,
            start=(torch.tanh(cells), cells),
        )

    def inputs(
        self, memory: SentenceMemory, top: Tensor, sibling: Tensor, grandparent: Tensor
    ) -> Tensor:
        """Return what the decoder reads of a stack, shape (n_sentences, n, …).

        Args:
            memory: The batch.
            top: Words on top, shape (n_sentences, n).
            sibling: Their children attached last, 0 for none.
            grandparent: Their heads.

        """
        rows = torch.arange(len(top), device=top.device).unsqueeze(-1)
        has_sibling = (sibling > 0).unsqueeze(-1)
        seen = memory.states[rows, top] + memory.states[rows, grandparent]
        seen = seen + memory.states[rows, sibling] * has_sibling
        return elu(self.source(seen))

    def asked(self, decoded: Tensor) -> tuple[Tensor, Tensor]:
        """Return the decoder's states as heads, for pointing and for relations."""
        return self._views(self.viewed(elu(self.top(self.decoded(decoded)))))

    def pointer_scores(self, memory: SentenceMemory, arc: Tensor) -> Tensor:
        """Return shape (n_sentences, n, width): of each action, each token."""
        return (arc @ self.arc[:-1] + self.arc[-1]) @ memory.arc_child.transpose(1, 2)

    def label_scores(self, head: Tensor, child: Tensor) -> Tensor:
        """Return shape (…, labels) for heads and children of shape (…, width)."""
        asked = torch.einsum("...i,ilj->...lj", _one(head), self.label)
        return (asked @ _one(child).unsqueeze(-1)).squeeze(-1)

    def label_table(self, memory: SentenceMemory, head: Tensor) -> Tensor:
        """Return scores of the labels at every token of heads (n_sentences, n, …).

        Returns:
            Shape (n_sentences, n, width, labels).

        """
        n, beam = head.shape[:2]
        asked = torch.einsum("bni,ilj->bnlj", _one(head), self.label)
        child = _one(memory.label_child).transpose(1, 2)
        scores = asked.flatten(1, 2) @ child
        return scores.view(n, beam, self.sizes.labels, -1).transpose(2, 3)

    def step_nats(self, memory: SentenceMemory, steps: PaddedActions) -> Tensor:
        """Return log p of each action given those before it, and of its relation.

        Returns:
            Shape (n_sentences, n_steps); 0 at padding, -inf where impossible.

        """
        inputs = self.inputs(memory, steps.top, steps.sibling, steps.grandparent)
        start = (memory.start[0].unsqueeze(0), memory.start[1].unsqueeze(0))
        decoded = self.decoder(inputs.transpose(0, 1), start)[0].transpose(0, 1)
        arc, label = self.asked(decoded)
        scores = self.pointer_scores(memory, arc)
        scores = scores.masked_fill(~steps.possible, -torch.inf).log_softmax(dim=-1)
        nats = scores.gather(-1, steps.pointed.unsqueeze(-1)).squeeze(-1)
        nats = nats.index_put(
            steps.is_push.nonzero(as_tuple=True),
            self._label_nats(memory, label, steps),
            accumulate=True,
        )
        return torch.where(steps.is_real, nats, torch.zeros_like(nats))

    def _label_nats(
        self, memory: SentenceMemory, label: Tensor, steps: PaddedActions
    ) -> Tensor:
        """Return log p of the relation at each push, shape (n_pushes,)."""
        push = steps.is_push
        row = push.nonzero()[:, 0]
        child = memory.label_child[row, steps.pointed[push]]
        nats = self.label_scores(label[push], child).log_softmax(dim=-1)
        return nats.gather(-1, steps.label[push].unsqueeze(-1)).squeeze(-1)

    def _views(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        arc = self.sizes.arc_width
        return seen[..., :arc], seen[..., arc:]


def _one(states: Tensor) -> Tensor:
    return torch.cat([states, torch.ones_like(states[..., :1])], dim=-1)
