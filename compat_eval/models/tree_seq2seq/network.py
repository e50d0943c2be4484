"""The network of the tree seq2seq model: it writes labels and copies words.

Gupta et al., "Semantic Parsing for Task Oriented Dialog using Hierarchical
Representations", EMNLP 2018, https://aclanthology.org/D18-1300, gave the trees;
Rongali et al., "Don't Parse, Generate! A Sequence to Sequence Architecture for
Task-Oriented Semantic Parsing", WWW 2020, https://arxiv.org/abs/2001.11458, one
softmax over labels and pointers to words. Here an LSTM with attention decodes, and
the pointer goes to the next word, the only one that leads to a valid tree.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from compat_eval.models.parsing.dropout import SharedDropout
from compat_eval.models.tree_seq2seq.actions import (
    COPY,
    FIRST_LABEL,
    PaddedDerivations,
    kinds_of,
    possible,
    slots_of,
)
from compat_eval.models.tree_seq2seq.reading import EncodesWords


@dataclass(frozen=True, slots=True, kw_only=True)
class DecoderSizes:
    """Sizes of the decoder.

    Attributes:
        states: Numbers that the encoder gives for a word.
        hidden: Cells of the LSTM.
        token_width: Numbers in the embedding of a token or label.
        width: Numbers in which words and labels are compared with what is asked.
        dropout: Share of everything that training leaves out.

    """

    states: int
    hidden: int
    token_width: int
    width: int
    dropout: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UtteranceMemory:
    """A batch of utterances, as the decoder sees it; n utterances, w tokens.

    Attributes:
        states: Shape (n, w, n_numbers).
        keys: For attention, shape (n, w, width).
        copied: For pointing, shape (n, w, width).
        is_real: Which tokens are no padding, shape (n, w).
        n_words: Shape (n, 1).
        start: Hidden state and cells, each (n, hidden).
        keep_in: Dropout of the decoder's input, shape (n, 1, n_numbers).
        keep_out: Likewise of what it asks for.

    """

    states: Tensor
    keys: Tensor
    copied: Tensor
    is_real: Tensor
    n_words: Tensor
    start: tuple[Tensor, Tensor]
    keep_in: Tensor
    keep_out: Tensor


class TreeNetwork(nn.Module):
    """An encoder, and an LSTM with attention that writes trees.

    Attributes:
        encoder: Reads; a module, too.
        labels: Names of the labels.

    """

    kinds: Tensor
    is_slot: Tensor

    def __init__(
        self, encoder: EncodesWords, sizes: DecoderSizes, labels: Sequence[str]
    ) -> None:
        super().__init__()
        assert isinstance(encoder, nn.Module)
        self.encoder: Any = encoder
        self.sizes, self.labels = sizes, tuple(labels)
        n_tokens, token = FIRST_LABEL + len(labels), sizes.token_width
        self.before = nn.Embedding(n_tokens + 1, token)
        self.tops = nn.Embedding(len(labels) + 1, token)
        self.ahead = nn.Linear(sizes.states, sizes.width)
        self.start = nn.Linear(sizes.states, 2 * sizes.hidden)
        self.decoder = nn.LSTM(2 * token + sizes.width, sizes.hidden, batch_first=True)
        self.key = nn.Linear(sizes.states, sizes.width, bias=False)
        self.query = nn.Linear(sizes.hidden, sizes.width, bias=False)
        self.asked = nn.Linear(sizes.hidden + sizes.states + sizes.width, sizes.width)
        self.pointer = nn.Linear(sizes.states, sizes.width)
        self.token_scores = nn.Linear(sizes.width, n_tokens)
        self.drop_in = SharedDropout(sizes.dropout)
        self.drop_out = SharedDropout(sizes.dropout)
        self.register_buffer("kinds", torch.tensor(kinds_of(labels)), persistent=False)
        slots = torch.tensor(slots_of(labels))
        self.register_buffer("is_slot", slots, persistent=False)
        for table in (self.before, self.tops):
            nn.init.normal_(table.weight, std=token**-0.5)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.start.weight.device

    def encode(self, items: Sequence[Any]) -> UtteranceMemory:
        """Read at least one utterance; all dropout is drawn here.

        Args:
            items: Encoded utterances; one's length is its words and one more.

        """
        states = self.encoder.read(items, self.device)
        lengths = torch.tensor([len(item) for item in items], device=self.device)
        at = torch.arange(states.shape[1], device=self.device)
        hidden, cells = self.start(states[:, 0]).chunk(2, dim=-1)
        ones = states.new_ones(len(items), 1, 1)
        return UtteranceMemory(
            states=states,
            keys=self.key(states),
            copied=self.pointer(states),
            is_real=at < lengths.unsqueeze(-1),
            n_words=lengths.unsqueeze(-1) - 1,
            start=(torch.tanh(hidden), cells),
            keep_in=self.drop_in(ones.expand(-1, -1, self.decoder.input_size)),
            keep_out=self.drop_out(ones.expand(-1, -1, self.sizes.width)),
        )

    def step_nats(self, memory: UtteranceMemory, trees: PaddedDerivations) -> Tensor:
        """Return log p of each token, shape (n_trees, n_tokens); 0 for padding.

        Args:
            memory: An utterance for each tree.
            trees: Their tokens.

        """
        groups = possible(
            positions=trees.positions,
            depths=trees.depths,
            is_bare=trees.is_bare,
            in_slot=self.is_slot[trees.tops],
            n_words=trees.n_words,
        )
        inputs, ahead = self.inputs(memory, trees.before, trees.tops, trees.positions)
        start = tuple(state.unsqueeze(0).contiguous() for state in memory.start)
        out, _ = self.decoder(inputs, start)
        nats = self.nats(memory, out, ahead, trees.positions, groups)
        found = nats.gather(-1, trees.tokens.unsqueeze(-1)).squeeze(-1)
        return found.masked_fill(~trees.is_real, 0.0)

    def inputs(
        self, memory: UtteranceMemory, before: Tensor, tops: Tensor, positions: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the LSTM's inputs, and what it sees of the next words.

        Args:
            memory: The utterances.
            before: Last tokens, from 1; shape (n, m).
            tops: Labels opened last, from 1; likewise.
            positions: Next words, from 1; likewise.

        """
        ahead = self.ahead(_at(memory.states, positions, memory.n_words))
        parts = [self.before(before), self.tops(tops), ahead]
        return torch.cat(parts, dim=-1) * memory.keep_in, ahead

    def nats(
        self,
        memory: UtteranceMemory,
        out: Tensor,
        ahead: Tensor,
        positions: Tensor,
        groups: Tensor,
    ) -> Tensor:
        """Return log p of every token, shape (n, m, n_tokens); -inf where impossible.

        Args:
            memory: The utterances.
            out: The LSTM's outputs, shape (n, m, hidden).
            ahead: See `inputs`.
            positions: Next words, shape (n, m).
            groups: What `possible` returns.

        """
        fits = self.query(out) @ memory.keys.transpose(1, 2)
        fits = fits.masked_fill(~memory.is_real.unsqueeze(1), -torch.inf)
        context = fits.softmax(dim=-1) @ memory.states
        asked = torch.tanh(self.asked(torch.cat([out, context, ahead], dim=-1)))
        asked = asked * memory.keep_out
        scores = self.token_scores(asked)
        word = _at(memory.copied, positions, memory.n_words)
        pointed = (asked * word).sum(dim=-1)
        copy = torch.nn.functional.one_hot(
            torch.tensor(COPY, device=scores.device), scores.shape[-1]
        )
        scores = scores + pointed.unsqueeze(-1) * copy
        allowed = groups[..., self.kinds]
        nats: Tensor = scores.masked_fill(~allowed, -torch.inf).log_softmax(dim=-1)
        return nats.masked_fill(~allowed, -torch.inf)


def _at(states: Tensor, positions: Tensor, n_words: Tensor) -> Tensor:
    """Return the states of words; after the last one that of the utterance."""
    there = torch.where(positions > n_words, 0, positions)
    rows = torch.arange(len(states), device=states.device).unsqueeze(-1)
    return states[rows, there]
