"""A small text classifier: summed embeddings of hashed features, one linear layer.

The sum of a text's feature vectors, divided by the root of their number, is
normalised and mapped to the labels (close to Joulin et al., "Bag of Tricks for
Efficient Text Classification", EACL 2017).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor, nn

from compat_eval.core.arrays import Values
from compat_eval.core.files import read_json
from compat_eval.models.classifiers.answers import answer_table
from compat_eval.models.classifiers.hashed_text import HashedText, Hashing
from compat_eval.models.training.saved_weights import read_weights


class EmbeddingBagNetwork(nn.Module):
    """From buckets of features to logits.

    Args:
        n_buckets: Rows of the embedding table.
        width: Numbers in one embedding.
        n_labels: How many labels there are.
        dropout: Share of the normalised sum that training leaves out.

    """

    def __init__(
        self, *, n_buckets: int, width: int, n_labels: int, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.embeddings = nn.EmbeddingBag(n_buckets, width, mode="sum")
        nn.init.normal_(self.embeddings.weight, std=1 / math.sqrt(width))
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width, n_labels)

    def forward(self, texts: Sequence[HashedText]) -> Tensor:
        """Return logits, shape (n_texts, n_labels)."""
        device = self.head.weight.device
        lengths = [len(text) for text in texts]
        buckets = torch.tensor(
            [b for text in texts for b in text.buckets], device=device
        )
        starts = torch.tensor([0, *np.cumsum(lengths)[:-1].tolist()], device=device)
        scale = torch.tensor(lengths, device=device).rsqrt().unsqueeze(-1)
        summed = self.embeddings(buckets, starts) * scale
        logits: Tensor = self.head(self.dropout(self.norm(summed)))
        return logits


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingBagClassifier:
    """A trained network with its features and label names.

    Attributes:
        network: Gives logits.
        hashing: How it reads texts.
        labels: Names of its labels, by id.

    """

    network: EmbeddingBagNetwork
    hashing: Hashing
    labels: tuple[str, ...]

    def encode(self, inputs: Sequence[Any]) -> list[HashedText]:
        """Return one item an input; `len(item)` is its number of features.

        Raises:
            TypeError: An input is no text.

        """
        for given in inputs:
            if not isinstance(given, str):
                raise TypeError(f"the input must be a text; got {type(given).__name__}")
        return [self.hashing.encode(text) for text in inputs]

    def predict(self, items: Sequence[HashedText]) -> pa.Table:
        """Answer a batch: `prediction`, `score`, `margin` and `error`."""
        return answer_table(self.logits(items), self.labels)

    def logits(self, items: Sequence[HashedText]) -> Values:
        """Return logits, shape (n_items, n_labels)."""
        if not items:
            return np.zeros((0, len(self.labels)))
        with torch.inference_mode():
            return np.asarray(self.network(items).cpu().numpy(), np.float64)


def load(
    directory: Path, *, labels: tuple[str, ...], device: str
) -> EmbeddingBagClassifier:
    """Read what `embedding_bag_training.train` wrote.

    Raises:
        ModelError: The weights do not fit the configuration.

    """
    config = read_json(directory / "config.json")
    hashing = Hashing(**config["hashing"])
    network = EmbeddingBagNetwork(
        n_buckets=hashing.n_buckets, width=config["width"], n_labels=len(labels)
    )
    read_weights(network, directory, device)
    return EmbeddingBagClassifier(network=network, hashing=hashing, labels=labels)
