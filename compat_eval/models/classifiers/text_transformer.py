"""A small transformer text encoder with a classifier on top.

Hashed words become embeddings, blocks of attention and of a feed-forward layer read
them, and the mean of the last states is kept: the encoder of Vaswani et al., "Attention
Is All You Need", NeurIPS 2017, https://arxiv.org/abs/1706.03762, normalised before each
layer (Xiong et al., "On Layer Normalization in the Transformer Architecture", ICML
2020, https://arxiv.org/abs/2002.04745). Depth, width and heads can be searched.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn

from compat_eval.models.classifiers.embedding_bag import HashedText
from compat_eval.models.classifiers.hashed_words import WordsKind, padded
from compat_eval.models.classifiers.vectors import (
    EncoderSettings,
    made_head,
    made_projection,
)
from compat_eval.models.training.train import Trainer

_LONGEST = 64
_HEAD_WIDTH = 16


class _Block(nn.Module):
    """Attention and a feed-forward layer, each added to what it reads.

    Heads are 16 wide whatever the width, so that fewer heads are the first ones of
    more.
    """

    def __init__(self, width: int, heads: int, expansion: int) -> None:
        super().__init__()
        self.heads = heads
        inner = heads * _HEAD_WIDTH
        self.before_attention = nn.LayerNorm(width)
        self.query = nn.Linear(width, inner)
        self.key = nn.Linear(width, inner)
        self.value = nn.Linear(width, inner)
        self.joined = nn.Linear(inner, width)
        self.before_layers = nn.LayerNorm(width)
        self.rise = nn.Linear(width, expansion * width)
        self.fall = nn.Linear(expansion * width, width)

    def forward(self, states: Tensor, nowhere: Tensor) -> Tensor:
        """Return states, shape (n_texts, longest, width).

        Args:
            states: Of each word.
            nowhere: Where there is no word, shape (n_texts, 1, 1, longest).

        """
        read = self.before_attention(states)
        query, key, value = (
            layer(read).unflatten(2, (self.heads, _HEAD_WIDTH)).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        scores = query @ key.transpose(2, 3) / _HEAD_WIDTH**0.5
        shares = scores.masked_fill(nowhere, -torch.inf).softmax(dim=3)
        states = states + self.joined((shares @ value).transpose(1, 2).flatten(2))
        risen = nn.functional.gelu(self.rise(self.before_layers(states)))
        found: Tensor = states + self.fall(risen)
        return found


class TextTransformer(nn.Module):
    """From hashed words to logits.

    Args:
        n_buckets: Rows of the embedding table, besides padding.
        width: Numbers in one state.
        depth: How many blocks there are.
        heads: Of attention in each, of 16 numbers.
        expansion: Width of the feed-forward layers, as a multiple.
        n_labels: How many labels there are.
        projection: Dimensions of its vectors; 0 where these are the mean states.
        cosine: Scale of a cosine classifier; 0 for a linear one.
        dropout: Share of the embeddings, and of the mean states, that training leaves
            out.

    """

    def __init__(
        self,
        *,
        n_buckets: int,
        width: int,
        depth: int,
        heads: int,
        expansion: int,
        n_labels: int,
        projection: int = 0,
        cosine: float = 0.0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.sizes = {
            "n_buckets": n_buckets,
            "width": width,
            "depth": depth,
            "heads": heads,
            "expansion": expansion,
            "projection": projection,
            "cosine": cosine,
        }
        self.embeddings = nn.Embedding(n_buckets + 1, width, padding_idx=n_buckets)
        self.places = nn.Embedding(_LONGEST, width)
        nn.init.normal_(self.places.weight, std=0.1)
        self.blocks = nn.ModuleList(
            _Block(width, heads, expansion) for _ in range(depth)
        )
        self.last = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        self.projection = made_projection(width, projection)
        self.head = made_head(projection or width, n_labels, cosine)

    def forward(self, texts: Sequence[HashedText]) -> Tensor:
        """Return logits, shape (n_texts, n_labels)."""
        logits: Tensor = self.head(self.vectors(texts))
        return logits

    def vectors(self, texts: Sequence[HashedText]) -> Tensor:
        """Return what the last layer reads, shape (n_texts, dimension)."""
        nothing = self.embeddings.num_embeddings - 1
        words = padded(texts, nothing, self.embeddings.weight.device)
        there = words != nothing
        states = self.embeddings(words) + self.places.weight[: words.shape[1]]
        states = self.dropout(states)
        nowhere = ~there[:, None, None, :]
        for block in self.blocks:
            states = block(states, nowhere)
        states = self.last(states) * there.unsqueeze(2)
        mean = states.sum(dim=1) / there.sum(dim=1, keepdim=True)
        found: Tensor = self.projection(self.dropout(mean))
        return found


class _TextTransformerSettings(EncoderSettings):
    """Settings of `--model text-transformer`."""

    n_buckets: int = Field(default=2**14, ge=1)
    """Words are hashed into so many rows of embeddings."""
    width: int = Field(default=96, ge=1)
    depth: int = Field(default=2, ge=1)
    """Blocks of attention and a feed-forward layer."""
    heads: int = Field(default=4, ge=1)
    """Of attention, of 16 numbers each."""
    expansion: int = Field(default=2, ge=1)
    """Width of the feed-forward layers, as a multiple."""
    projection: int = Field(default=128, ge=0)
    dropout: float = Field(default=0.3, ge=0, lt=1)
    epochs: int = Field(default=12, ge=1)
    batch_size: int = Field(default=64, ge=1)
    learning_rate: float = Field(default=2e-3, gt=0)
    weight_decay: float = Field(default=0.01, ge=0)
    clip: float = Field(default=5.0, gt=0)
    patience: int = Field(default=4, ge=1)

    def searched(self) -> Mapping[str, Sequence[Any]]:
        """Return the values of each size that a search chooses from."""
        widths = {max(8, 8 * round(self.width * x / 8)) for x in (0.5, 0.75, 1, 1.5, 2)}
        return {
            "width": sorted({*widths, self.width}),
            "depth": tuple(range(1, self.depth + 2)),
            "heads": sorted({1, 2, self.heads, 2 * self.heads}),
            "expansion": sorted({1, 2, 4, self.expansion}),
        }


_KIND = WordsKind(
    name="text-transformer",
    network=TextTransformer,
    sizes=(
        "n_buckets",
        "width",
        "depth",
        "heads",
        "expansion",
        "projection",
        "cosine",
    ),
    longest=_LONGEST,
)
load = _KIND.load
"""Reads what `train` wrote."""
train = Trainer(
    settings=_TextTransformerSettings, run=_KIND.train, prepared=_KIND.prepared
)
"""Trains `--model text-transformer`."""
