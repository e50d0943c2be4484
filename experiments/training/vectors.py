"""What the frozen encoder makes of each text, computed once and remembered.

Hundreds of heads stand on one encoder. The program reads its vectors from its store
when it trains a head, and computes them anew when a head answers; here they are looked
up.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

from compat_eval.core.arrays import Values
from compat_eval.core.protocols import Encodes, GivesLogits
from compat_eval.models.classifiers.answers import answer_table
from compat_eval.models.encoders import sentences
from compat_eval.models.encoders.sentences import FrozenEncoder, FrozenEncoderSource
from compat_eval.runner.ask import ask
from compat_eval.runner.cache import Cache
from compat_eval.runner.questions import Embed
from experiments.classification.run import encoder_directory
from experiments.training.places import CACHE
from experiments.training.suites import examples_of
from experiments.updates.lines import Lines

_SPLITS = (
    ("clinc150", ("train", "dev", "test")),
    ("hwu64", ("train", "train-10", "train-5", "dev", "test")),
)
"""Whose texts are remembered; the other suites' texts are among them."""


class RememberingEncoder:
    """A frozen encoder that knows the vectors of many texts.

    Args:
        encoder: Computes those that it does not know.
        vectors: By token ids.

    """

    def __init__(
        self, encoder: FrozenEncoder, vectors: dict[tuple[int, ...], Values]
    ) -> None:
        self.encoder = encoder
        self.vectors = vectors
        self.items: dict[str, Any] = {}

    def encode(self, inputs: Sequence[Any]) -> list[Any]:
        """Return one item an input."""
        new = list(dict.fromkeys(text for text in inputs if text not in self.items))
        self.items.update(zip(new, self.encoder.encode(new), strict=True))
        return [self.items[text] for text in inputs]

    def embed(self, items: Sequence[Any]) -> Values:
        """Return one vector an item, shape (n_items, width)."""
        keys = [tuple(item.ids) for item in items]
        new = [at for at, key in enumerate(keys) if key not in self.vectors]
        if new:
            found = self.encoder.embed([items[at] for at in new])
            self.vectors.update(zip((keys[at] for at in new), found, strict=True))
        return np.stack([self.vectors[key] for key in keys])

    def predict(self, items: Sequence[Any]) -> pa.Table:
        """Refuse, as the encoder does."""
        return self.encoder.predict(items)


class RememberingClassifier:
    """A classifier that knows its logits of texts that it was asked about.

    Args:
        model: Gives logits.

    """

    def __init__(self, model: GivesLogits) -> None:
        self.model = model
        self.known: dict[str, Values] = {}

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of its labels."""
        return self.model.labels

    def encode(self, inputs: Sequence[str]) -> list[str]:
        """Return the texts themselves: items of some length."""
        return list(inputs)

    def logits(self, items: Sequence[str]) -> Values:
        """Return logits, shape (n_items, n_labels)."""
        new = [text for text in dict.fromkeys(items) if text not in self.known]
        if new:
            model = self.model
            read = model.encode(new) if isinstance(model, Encodes) else new
            self.known.update(zip(new, model.logits(read), strict=True))
        rows = [self.known[text] for text in items]
        return np.array(rows, np.float64).reshape(len(rows), len(self.labels))

    def predict(self, items: Sequence[str]) -> pa.Table:
        """Answer a batch."""
        return answer_table(self.logits(items), self.labels)


@cache
def remember_vectors() -> None:
    """Make frozen encoders of this process remember what they computed."""
    source = FrozenEncoderSource(directory=encoder_directory())
    encoder = source.load()
    vectors: dict[tuple[int, ...], Values] = {}
    remembering = RememberingEncoder(encoder, vectors)
    for suite, splits in _SPLITS:
        for split in splits:
            examples = examples_of(suite, split)
            answers = ask(
                source,
                examples,
                Embed(),
                cache=Cache(CACHE),
                progress=Lines(f"vectors of {suite} {split}"),
            )
            flat = answers.column(Embed.column).combine_chunks().flatten()
            rows = np.asarray(flat).reshape(len(examples), -1)
            items = remembering.encode(examples.column("input").to_pylist())
            keys = [tuple(item.ids) for item in items]
            vectors.update(zip(keys, rows, strict=True))
    digest = source.sha256()
    kind: Any = sentences.FrozenEncoderSource
    kind.load = lambda _: remembering
    kind.sha256 = lambda _: digest
