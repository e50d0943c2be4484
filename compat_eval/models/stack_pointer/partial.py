"""Trees that a stack-pointer parser is building, and what an action makes of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial:
    """Partial trees; every tensor has shape (n_sentences, beam, …).

    Attributes:
        stack: Words, the root at the bottom.
        depth: How many of them are on the stack.
        heads: Of each token.
        labels: Relation of each token.
        last: Child of each token that was attached last; 0 for none.
        attached: Which tokens have a head, the root counted as one.
        hidden: The decoders' hidden states.
        cells: The decoders' cells.
        nats: Log p so far.

    """

    stack: Tensor
    depth: Tensor
    heads: Tensor
    labels: Tensor
    last: Tensor
    attached: Tensor
    hidden: tuple[Tensor, ...]
    cells: tuple[Tensor, ...]
    nats: Tensor

    @classmethod
    def begin(
        cls, first: Tensor, starts: Sequence[tuple[Tensor, Tensor]], *, width: int
    ) -> "Partial":
        """Return trees with nothing but the root.

        Args:
            first: Log p to begin with, shape (n_sentences, beam).
            starts: Hidden state and cells of each decoder, (n_sentences, …) each.
            width: Tokens of the longest sentence, the root among them.

        """
        n, beam = first.shape
        numbers = torch.zeros((n, beam, width), dtype=torch.long, device=first.device)
        attached = torch.zeros_like(numbers, dtype=torch.bool)
        attached[..., 0] = True
        return cls(
            stack=torch.nn.functional.pad(numbers, (0, 1)),
            depth=torch.ones((n, beam), dtype=torch.long, device=first.device),
            heads=numbers,
            labels=numbers.clone(),
            last=numbers.clone(),
            attached=attached,
            hidden=tuple(h.unsqueeze(1).expand(-1, beam, -1) for h, _ in starts),
            cells=tuple(c.unsqueeze(1).expand(-1, beam, -1) for _, c in starts),
            nats=first,
        )

    @property
    def top(self) -> Tensor:
        """Words on top of the stack."""
        return _at(self.stack, self.depth - 1)

    @property
    def sibling(self) -> Tensor:
        """Children of the tops that were attached last."""
        return _at(self.last, self.top)

    @property
    def grandparent(self) -> Tensor:
        """Heads of the tops."""
        return _at(self.heads, self.top)

    def take(self, origin: Tensor) -> "Partial":
        """Return some of each sentence's trees; shape (n_sentences, beam)."""
        rows = torch.arange(len(origin), device=origin.device).unsqueeze(-1)
        return Partial(
            stack=self.stack[rows, origin],
            depth=self.depth[rows, origin],
            heads=self.heads[rows, origin],
            labels=self.labels[rows, origin],
            last=self.last[rows, origin],
            attached=self.attached[rows, origin],
            hidden=tuple(one[rows, origin] for one in self.hidden),
            cells=tuple(one[rows, origin] for one in self.cells),
            nats=self.nats[rows, origin],
        )

    def acted(self, pointed: Tensor, label: Tensor, is_active: Tensor) -> "Partial":
        """Push what is pointed to, or take the top off.

        Args:
            pointed: Where to, shape (n_sentences, beam).
            label: The relation of what is pushed, likewise.
            is_active: Which sentences are not done, shape (n_sentences,); the
                others stay as they are.

        """
        top, room = self.top, self.stack.shape[-1]
        push = (pointed != top) & is_active[:, None]
        pop = (pointed == top) & is_active[:, None]
        return replace(
            self,
            stack=_put(self.stack, self.depth.clamp(max=room - 1), pointed, push),
            depth=(self.depth + push.long() - pop.long()).clamp(1, room),
            heads=_put(self.heads, pointed, top, push),
            labels=_put(self.labels, pointed, label, push),
            last=_put(self.last, top, pointed, push),
            attached=_put(self.attached, pointed, push, push),
        )


def _at(values: Tensor, position: Tensor) -> Tensor:
    return values.gather(-1, position.unsqueeze(-1)).squeeze(-1)


def _put(values: Tensor, position: Tensor, what: Tensor, where: Tensor) -> Tensor:
    """Set one number of the last axis, where asked."""
    now = torch.where(where, what, _at(values, position))
    return values.scatter(-1, position.unsqueeze(-1), now.unsqueeze(-1))
