"""Classifiers that read a text's words in their order, each by its hash.

No vocabulary is kept, so that every text has a vector. A kind of them brings its
network; how texts are read, how it is trained, kept and asked is the same for all.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch
from torch import Tensor

from compat_eval.core.arrays import Array, Values
from compat_eval.core.examples import Examples
from compat_eval.core.files import read_json
from compat_eval.core.progress import Progress
from compat_eval.models.classifiers.answers import answer_table
from compat_eval.models.classifiers.embedding_bag import HashedText, bucket_of, words_of
from compat_eval.models.classifiers.training import LabelledTexts
from compat_eval.models.classifiers.vectors import (
    EncoderSettings,
    PreparedEncoder,
    embedded,
    fit_prepared,
    label_axes_of,
)
from compat_eval.models.training.data import label_names, texts_and_labels
from compat_eval.models.training.saved_weights import (
    read_weights,
    weights_of,
    with_weights,
    write_model,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WordsKind:
    """A kind of classifier of hashed words.

    Attributes:
        name: What `--model` calls it.
        network: Builds one of its `sizes`, of `n_labels` and of `dropout`. It has
            `embeddings` with one row more than buckets, `vectors`, `head` and `sizes`.
        sizes: Names of the settings that say what its tensors mean.
        longest: How many words of a text are read, the first ones.

    """

    name: str
    network: Callable[..., Any]
    sizes: Sequence[str]
    longest: int

    def encoded(self, inputs: Sequence[Any], n_buckets: int) -> list[HashedText]:
        """Return one item an input; a text without words has one of its own.

        Raises:
            TypeError: An input is no text.

        """
        for given in inputs:
            if not isinstance(given, str):
                raise TypeError(f"the input must be a text; got {type(given).__name__}")
        words = [words_of(text)[: self.longest] or [""] for text in inputs]
        return [HashedText([bucket_of(w, n_buckets) for w in some]) for some in words]

    def load(
        self, directory: Path, *, labels: tuple[str, ...], device: str
    ) -> "WordsClassifier":
        """Read what `train` wrote.

        Raises:
            ModelError: The weights do not fit the configuration.

        """
        sizes = read_json(directory / "config.json")["sizes"]
        network = self.network(**sizes, n_labels=len(labels))
        read_weights(network, directory, device)
        return WordsClassifier(kind=self, network=network, labels=labels)

    def prepared(self, examples: Examples, settings: Any) -> PreparedEncoder[Any]:  # noqa: ANN401 - of the kind
        """Return how networks for examples are built, and how they read them."""
        labels = label_names(texts_and_labels(examples)[1])

        def build(chosen: Any) -> Any:  # noqa: ANN401 - of the kind
            sizes = {name: getattr(chosen, name) for name in self.sizes}
            return self.network(**sizes, n_labels=len(labels), dropout=chosen.dropout)

        def read(some: Examples, columns: Sequence[str]) -> LabelledTexts:
            return LabelledTexts.of(
                some,
                labels,
                lambda texts: self.encoded(texts, settings.n_buckets),
                columns=columns,
            )

        return PreparedEncoder(kind=self.name, labels=labels, build=build, read=read)

    def train(
        self,
        examples: Examples,
        dev: Examples | None,
        settings: EncoderSettings,
        *,
        seed: int,
        out: Path,
        progress: Progress,
    ) -> list[dict[str, Any]]:
        """Fit and keep a network; see `Trainer`."""
        ready = self.prepared(examples, settings)
        network, history = fit_prepared(
            ready,
            settings,
            examples,
            dev,
            same=lambda network: {"sizes": network.sizes},
            seed=seed,
            out=out,
            progress=progress,
        )
        WordsClassifier(kind=self, network=network, labels=ready.labels).save(out)
        return history


@dataclass(frozen=True, slots=True, kw_only=True)
class WordsClassifier:
    """A trained network with its label names.

    Attributes:
        kind: Of which it is.
        network: Gives vectors and logits.
        labels: Names of its labels, by id.

    """

    kind: WordsKind
    network: Any
    labels: tuple[str, ...]

    def encode(self, inputs: Sequence[Any]) -> list[HashedText]:
        """Return one item an input: its words, of a long text the first ones.

        Raises:
            TypeError: An input is no text.

        """
        return self.kind.encoded(inputs, self.network.embeddings.num_embeddings - 1)

    def predict(self, items: Sequence[HashedText]) -> pa.Table:
        """Answer a batch: `prediction`, `score`, `margin` and `error`."""
        return answer_table(self.logits(items), self.labels)

    def logits(self, items: Sequence[HashedText]) -> Values:
        """Return logits, shape (n_items, n_labels)."""
        return embedded(self.network, items, width=len(self.labels))

    def embed(self, items: Sequence[HashedText]) -> Values:
        """Return what the last layer reads, shape (n_items, dimension)."""
        width = self.network.head.weight.shape[1]
        return embedded(self.network.vectors, items, width=width)

    @property
    def weights(self) -> dict[str, Array]:
        """Tensors of the network by name."""
        return weights_of(self.network)

    @property
    def label_axes(self) -> dict[str, int]:
        """Tensors with an entry for each label."""
        return label_axes_of(self.network)

    @property
    def built_as(self) -> dict[str, Any]:
        """What decides what the tensors mean."""
        return {"kind": self.kind.name, **self.network.sizes}

    def with_weights(self, weights: Any) -> "WordsClassifier":  # noqa: ANN401
        """Return a copy with other tensors."""
        return replace(self, network=with_weights(self.network, weights))

    def save(self, directory: Path) -> None:
        """Write what `load` reads: config.json and model.safetensors."""
        config = {"labels": list(self.labels), "sizes": self.network.sizes}
        write_model(directory, self.network.state_dict(), self.kind.name, config)


def padded(texts: Sequence[HashedText], nothing: int, device: torch.device) -> Tensor:
    """Return the buckets of texts, shape (n_texts, longest).

    Args:
        texts: One or more.
        nothing: Stands behind the last word of a shorter one.
        device: Where the tensor shall be.

    """
    longest = max(len(text) for text in texts)
    rows = [[*one.buckets, *[nothing] * (longest - len(one))] for one in texts]
    return torch.tensor(rows, device=device)
