"""A small convolutional text encoder with a classifier on top.

Hashed words become embeddings, a convolution reads neighbouring ones, and the largest
state of each channel is kept: Kim, "Convolutional Neural Networks
for Sentence Classification", EMNLP 2014, https://arxiv.org/abs/1408.5882. No vocabulary
is kept, so that every text has a vector.
"""

from collections.abc import Sequence

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

_SPAN = 3


class TextConvolution(nn.Module):
    """From hashed words to logits.

    Args:
        n_buckets: Rows of the embedding table, besides padding.
        width: Numbers in one embedding.
        channels: Of the convolution.
        n_labels: How many labels there are.
        projection: Dimensions of its vectors; 0 where these are the pooled states.
        cosine: Scale of a cosine classifier; 0 for a linear one.
        dropout: Share of the pooled states that training leaves out.

    """

    def __init__(
        self,
        *,
        n_buckets: int,
        width: int,
        channels: int,
        n_labels: int,
        projection: int = 0,
        cosine: float = 0.0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.sizes = {
            "n_buckets": n_buckets,
            "width": width,
            "channels": channels,
            "projection": projection,
            "cosine": cosine,
        }
        self.embeddings = nn.Embedding(n_buckets + 1, width, padding_idx=n_buckets)
        self.convolution = nn.Conv1d(width, channels, _SPAN, padding=_SPAN // 2)
        self.dropout = nn.Dropout(dropout)
        self.projection = made_projection(channels, projection)
        self.head = made_head(projection or channels, n_labels, cosine)

    def forward(self, texts: Sequence[HashedText]) -> Tensor:
        """Return logits, shape (n_texts, n_labels)."""
        logits: Tensor = self.head(self.vectors(texts))
        return logits

    def vectors(self, texts: Sequence[HashedText]) -> Tensor:
        """Return what the last layer reads, shape (n_texts, dimension)."""
        nothing = self.embeddings.num_embeddings - 1
        words = padded(texts, nothing, self.convolution.weight.device)
        there = (words != nothing).unsqueeze(1)
        states = self.convolution(self.embeddings(words).transpose(1, 2)).relu()
        states = states * there  # after the ReLU, 0 is below every state
        found: Tensor = self.projection(self.dropout(states.amax(dim=2)))
        return found


class _TextConvolutionSettings(EncoderSettings):
    """Settings of `--model text-cnn`."""

    n_buckets: int = Field(default=2**14, ge=1)
    """Words are hashed into so many rows of embeddings."""
    width: int = Field(default=96, ge=1)
    channels: int = Field(default=128, ge=1)
    projection: int = Field(default=128, ge=0)
    dropout: float = Field(default=0.4, ge=0, lt=1)
    epochs: int = Field(default=12, ge=1)
    batch_size: int = Field(default=64, ge=1)
    learning_rate: float = Field(default=3e-3, gt=0)
    weight_decay: float = Field(default=0.01, ge=0)
    clip: float = Field(default=5.0, gt=0)
    patience: int = Field(default=4, ge=1)


_KIND = WordsKind(
    name="text-cnn",
    network=TextConvolution,
    sizes=("n_buckets", "width", "channels", "projection", "cosine"),
    longest=256,
)
load = _KIND.load
"""Reads what `train` wrote."""
train = Trainer(settings=_TextConvolutionSettings, run=_KIND.train)
"""Trains `--model text-cnn`."""
