"""A network for several tasks: one trunk over words, and a head for each task.

A word is the mean of the embeddings of its hashed pieces (Bojanowski et al., "Enriching
Word Vectors with Subword Information", TACL 2017). A convolution over neighbouring
words (Kim, "Convolutional Neural Networks for Sentence Classification", EMNLP 2014)
gives each word a vector of its own sentence. A head that tags reads these; one that
classifies reads their maximum beside the mean of the embeddings.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.functional import relu
from torch.nn.utils.rnn import pad_sequence

HeadKind: TypeAlias = Literal["classification", "tagging"]


@dataclass(frozen=True, slots=True)
class HashedWords:
    """One encoded sentence.

    Attributes:
        words: The buckets of each word's pieces; never empty.

    """

    words: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.words)


@dataclass(frozen=True, slots=True)
class TrunkShape:
    """The sizes of a trunk.

    Attributes:
        n_buckets: Rows of the embedding table.
        width: Numbers in an embedding.
        hidden: Numbers in the vector of a word in its sentence.
        window: How many words the convolution sees at once, an odd number.

    """

    n_buckets: int
    width: int
    hidden: int
    window: int


class Trunk(nn.Module):
    """What all tasks share: from sentences to vectors of words and of the sentence."""

    def __init__(self, shape: TrunkShape, dropout: float = 0.0) -> None:
        super().__init__()
        self.embeddings = nn.EmbeddingBag(shape.n_buckets, shape.width, mode="mean")
        nn.init.normal_(self.embeddings.weight, std=1 / math.sqrt(shape.width))
        self.dropout = nn.Dropout(dropout)
        self.convolution = nn.Conv1d(
            shape.width, shape.hidden, shape.window, padding=shape.window // 2
        )
        self.norm = nn.LayerNorm(shape.hidden + shape.width)

    @property
    def last(self) -> Tensor:
        """The weights of the last layer that is shared, for GradNorm."""
        return self.convolution.weight

    def forward(
        self, batches: Sequence[Sequence[HashedWords]]
    ) -> list[tuple[Tensor, Tensor]]:
        """Return vectors of each batch's words, and which of them are there.

        Shapes (n_sentences, n_words, hidden + width) and (n_sentences, n_words). A word
        that occurs in several batches is embedded once.
        """
        number: dict[tuple[int, ...], int] = {}
        places = [
            [
                torch.tensor([number.setdefault(w, len(number)) for w in one.words])
                for one in batch
            ]
            for batch in batches
        ]
        device = self.embeddings.weight.device
        buckets = torch.tensor([b for word in number for b in word], device=device)
        lengths = torch.tensor([0, *map(len, number)], device=device)
        embedded = self.embeddings(buckets, lengths.cumsum(0)[:-1])
        return [self._in_sentences(embedded, batch) for batch in places]

    def _in_sentences(
        self, embedded: Tensor, places: list[Tensor]
    ) -> tuple[Tensor, Tensor]:
        padded = pad_sequence(places, batch_first=True, padding_value=-1)
        padded = padded.to(embedded.device)
        there = padded >= 0
        blank = ~there.unsqueeze(-1)
        words = embedded[padded.clamp(min=0)].masked_fill(blank, 0.0)
        dropped = self.dropout(words)
        seen = relu(self.convolution(dropped.transpose(1, 2))).transpose(1, 2)
        return torch.cat([seen, dropped], dim=-1).masked_fill(blank, 0.0), there


class MultitaskNetwork(nn.Module):
    """A trunk, and a linear head for each task.

    Args:
        shape: Of the trunk.
        heads: Kind and number of labels of each task.
        dropout: Share of a trunk's outputs that training leaves out.

    """

    def __init__(
        self,
        shape: TrunkShape,
        heads: Sequence[tuple[HeadKind, int]],
        *,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.trunk = Trunk(shape, dropout)
        self.dropout = nn.Dropout(dropout)
        self.kinds = [kind for kind, _ in heads]
        size = shape.hidden + shape.width
        self.heads = nn.ModuleList(nn.Linear(size, n_labels) for _, n_labels in heads)

    def forward(
        self, batches: Sequence[tuple[int, Sequence[HashedWords]]]
    ) -> list[Tensor]:
        """Return logits of batches, each with the number of its task.

        Shape (n_sentences, n_labels); of a task that tags (n_words, n_labels), the
        words of all sentences one after the other.
        """
        seen = self.trunk([sentences for _, sentences in batches])
        return [
            self._headed(task, words, there)
            for (task, _), (words, there) in zip(batches, seen, strict=True)
        ]

    def _headed(self, task: int, words: Tensor, there: Tensor) -> Tensor:
        if self.kinds[task] == "tagging":
            units = words[there]
        else:
            hidden = self.trunk.convolution.out_channels
            n_words = there.sum(dim=1, keepdim=True)
            # What the convolution sees is never negative, as padding is 0.
            most = words[..., :hidden].amax(dim=1)
            mean = words[..., hidden:].sum(dim=1) * n_words.rsqrt()
            units = torch.cat([most, mean], dim=-1)
        logits: Tensor = self.heads[task](self.dropout(self.trunk.norm(units)))
        return logits
