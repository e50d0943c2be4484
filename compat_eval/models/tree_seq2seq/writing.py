"""A tree being written, and who knows what may come next."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from compat_eval.models.tree_seq2seq.network import Hidden, Memory, TreeNetwork


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial:
    """Trees being written; every tensor has shape (n_utterances, beam, …).

    Attributes:
        stack: Open labels, from 1, `DEEPEST` + 1 places.
        depths, positions, is_bare, before: See `Derivations`.
        hidden: The decoder's.
        nats: log p so far.
        is_done: Whether the tree is complete.

    """

    stack: Tensor
    depths: Tensor
    positions: Tensor
    is_bare: Tensor
    before: Tensor
    hidden: Hidden
    nats: Tensor
    is_done: Tensor

    @property
    def tops(self) -> Tensor:
        """Labels opened last."""
        return self.stack.gather(-1, self.depths.unsqueeze(-1)).squeeze(-1)

    def take(self, origin: Tensor) -> "Partial":
        """Return some of each utterance's trees; shape (n_utterances, beam)."""
        rows = torch.arange(len(origin), device=origin.device).unsqueeze(-1)
        return Partial(
            stack=self.stack[rows, origin],
            depths=self.depths[rows, origin],
            positions=self.positions[rows, origin],
            is_bare=self.is_bare[rows, origin],
            before=self.before[rows, origin],
            hidden=tuple(part[rows, origin] for part in self.hidden),
            nats=self.nats[rows, origin],
            is_done=self.is_done[rows, origin],
        )


class Writer(Protocol):
    """Knows how probable the next token is."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the labels."""

    @property
    def n_words(self) -> Tensor:
        """Words of each utterance, shape (n_utterances, 1)."""

    def begin(self, beam: int) -> Hidden:
        """Return what stands before the first token."""

    def next_nats(self, state: Partial, groups: Tensor) -> tuple[Tensor, Hidden]:
        """Return log p of the next token, shape (n_utterances, beam, n_tokens).

        Args:
            state: What is written.
            groups: Which groups of tokens are possible; see `possible`.

        """


@dataclass(frozen=True, slots=True)
class NetworkWriter:
    """One network's `Writer`.

    Attributes:
        network: Gives log p.
        memory: What it read.

    """

    network: TreeNetwork
    memory: Memory

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the labels."""
        return self.network.labels

    @property
    def n_words(self) -> Tensor:
        """Words of each utterance, shape (n_utterances, 1)."""
        return self.memory.n_words

    def begin(self, beam: int) -> Hidden:
        """Return the first hidden states and cells."""
        hidden, cells = self.memory.start
        shape = (-1, beam, -1)
        return hidden.unsqueeze(1).expand(*shape), cells.unsqueeze(1).expand(*shape)

    def next_nats(self, state: Partial, groups: Tensor) -> tuple[Tensor, Hidden]:
        """Return log p of the next token: one step of the LSTM."""
        n, beam = state.depths.shape
        inputs, ahead = self.network.inputs(
            self.memory, state.before, state.tops, state.positions
        )
        start = tuple(part.reshape(1, n * beam, -1) for part in state.hidden)
        out, after = self.network.decoder(inputs.reshape(n * beam, 1, -1), start)
        nats = self.network.nats(
            self.memory, out.view(n, beam, -1), ahead, state.positions, groups
        )
        return nats, tuple(part.view(n, beam, -1) for part in after)
