"""Small causal networks: a transformer decoder, and a recurrent network.

The transformer is that of Vaswani et al., 2017, https://arxiv.org/abs/1706.03762, with
layer norms before each part and learned positions; the recurrent one has gated units
(Cho et al., 2014, https://arxiv.org/abs/1406.1078). The vectors of tokens are those of
the output layer, too (Press and Wolf, 2017, https://arxiv.org/abs/1608.05859). Every
operation of the transformer has a rule for `torch.func.vmap`, so that gradients of
single documents can be taken at once.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding, gelu, linear


class CausalNetwork(nn.Module):
    """What both kinds share: vectors of tokens, which are the output layer, too.

    Args:
        n_tokens: How many tokens there are.
        width: Numbers in a token's vector, and in a hidden state.

    """

    def __init__(self, n_tokens: int, width: int) -> None:
        super().__init__()
        self.tokens = nn.Parameter(torch.empty(n_tokens, width))
        nn.init.normal_(self.tokens, std=1 / math.sqrt(width))
        self.norm = nn.LayerNorm(width)
        self.last_layer = ["tokens"]

    def hidden(self, ids: Tensor) -> Tensor:
        """Return the states from which the next tokens follow.

        Args:
            ids: Shape (n_texts, n_tokens). What stands behind a token is not seen by
                it, so that texts may be filled up on the right.

        Returns:
            Shape (n_texts, n_tokens, width).

        """
        raise NotImplementedError

    def logits(self, states: Tensor) -> Tensor:
        """Return logits of the next token, shape (…, n_tokens)."""
        return linear(states, self.tokens)

    def forward(self, ids: Tensor) -> Tensor:
        """Return logits of the next token at each, shape (n_texts, n_tokens, V)."""
        return self.logits(self.hidden(ids))


class TransformerNetwork(CausalNetwork):
    """A decoder of a few layers.

    Args:
        n_tokens: How many tokens there are.
        width: Numbers in a hidden state, a multiple of `heads`.
        layers: How many layers.
        heads: Attention heads of each.
        longest: Most tokens of a text.
        dropout: Share that training leaves out.

    """

    def __init__(
        self,
        *,
        n_tokens: int,
        width: int,
        layers: int,
        heads: int,
        longest: int,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(n_tokens, width)
        self.places = nn.Parameter(torch.empty(longest, width))
        nn.init.normal_(self.places, std=1 / math.sqrt(width))
        self.layers = nn.ModuleList(
            _Layer(width, heads, dropout) for _ in range(layers)
        )
        self.dropout = nn.Dropout(dropout)

    def hidden(self, ids: Tensor) -> Tensor:
        """Return states, shape (n_texts, n_tokens, width)."""
        states = self.dropout(
            embedding(ids, self.tokens) + self.places[: ids.shape[-1]]
        )
        for layer in self.layers:
            states = layer(states)
        found: Tensor = self.norm(states)
        return found


class _Layer(nn.Module):
    """Attention to what stands before, then two layers at each place."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.attention = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm_wide = nn.LayerNorm(width)
        self.wide = nn.Linear(width, 4 * width)
        self.narrow = nn.Linear(4 * width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, states: Tensor) -> Tensor:
        parts = self.attention(self.norm(states)).chunk(3, dim=-1)
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)).transpose(-2, -3) for part in parts
        )
        seen = _attended(query, key, value)
        states = states + self.dropout(self.out(seen.transpose(-2, -3).flatten(-2)))
        wide = gelu(self.wide(self.norm_wide(states)))
        found: Tensor = states + self.dropout(self.narrow(wide))
        return found


def _attended(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Return the mean of values up to each place, shape (…, n_tokens, width).

    Torch's own function has no rule for `vmap` on processors.
    """
    n, width = query.shape[-2:]
    scores = query @ key.transpose(-2, -1) / math.sqrt(width)
    later = torch.ones(n, n, dtype=torch.bool, device=query.device).triu(1)
    return scores.masked_fill(later, -torch.inf).softmax(dim=-1) @ value


class RecurrentNetwork(CausalNetwork):
    """Gated recurrent units.

    Args:
        n_tokens: How many tokens there are.
        width: Numbers in a hidden state.
        layers: How many layers.
        dropout: Share that training leaves out.

    """

    def __init__(
        self, *, n_tokens: int, width: int, layers: int, dropout: float = 0.0
    ) -> None:
        super().__init__(n_tokens, width)
        self.units = nn.GRU(width, width, layers, batch_first=True)
        self.dropout = nn.Dropout(dropout)

    def hidden(self, ids: Tensor) -> Tensor:
        """Return states, shape (n_texts, n_tokens, width)."""
        states, _ = self.units(self.dropout(embedding(ids, self.tokens)))
        found: Tensor = self.norm(self.dropout(states))
        return found
