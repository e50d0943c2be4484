"""A trained biaffine parser: answers, offers candidates, scores given trees."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from compat_eval.core.arrays import Array, Values
from compat_eval.core.fingerprint import digest
from compat_eval.core.protocols import Proposes
from compat_eval.models.biaffine.network import BiaffineNetwork, BiaffineSizes, Views
from compat_eval.models.decoding.candidates import (
    Makes,
    best,
    dropout,
    named_candidates,
)
from compat_eval.models.parsing.arcs import LabelledArcs
from compat_eval.models.parsing.batching import SentenceBatch, batch_of
from compat_eval.models.parsing.dropout import Samples
from compat_eval.models.parsing.encoder import EncoderSizes
from compat_eval.models.parsing.sentence import (
    Tree,
    answer_column,
    answers_of,
    sentence_from,
)
from compat_eval.models.parsing.training import read_config, save
from compat_eval.models.parsing.vocabulary import EncodedSentence, Vocabulary
from compat_eval.models.training.saved_weights import (
    read_weights,
    weights_of,
    with_weights,
)

_GENERATORS: Mapping[str, Makes] = {
    "k-best": best,
    "dropout-p": dropout,
}
"""How candidates are made, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BiaffineParser:
    """A network with its vocabulary.

    log p of a tree is the sum over its words of log p(head) and
    log p(label | head): normalised for each word, not over all trees.

    Attributes:
        network: Gives scores.
        vocabulary: How it reads words and names relations.

    """

    network: BiaffineNetwork
    vocabulary: Vocabulary

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the relations."""
        return self.vocabulary.labels

    def encode(self, inputs: Sequence[Any]) -> list[EncodedSentence]:
        """Return one item a sentence; `len(item)` is its words and the root.

        Raises:
            DataError: An input has no `words` and `upos`.

        """
        return [self.vocabulary.encode(sentence_from(value)) for value in inputs]

    def predict(self, items: Sequence[EncodedSentence]) -> pa.Table:
        """Return a column `prediction`: the most probable tree with one root."""
        trees = self.labelled_arcs(items).best() if items else []
        return pa.table({"prediction": answer_column(trees)})

    def dropout_answers(
        self, items: Sequence[EncodedSentence], samples: Samples
    ) -> list[list[dict[str, Any]]]:
        """Return the most probable tree of each sentence in each sample."""
        batch = batch_of(items, self.network.arc.device)
        found: list[list[Tree]] = [[] for _ in items]
        with torch.inference_mode():
            states = self.network.encoder(batch) if samples.shared_encoder else None
            for group in samples.groups(batch.words.numel()):
                trees = self._sampled(items, batch, states, group).best()
                for at, tree in enumerate(trees):
                    found[at % len(items)].append(tree)
        return answers_of(found)

    def best_answers(
        self, items: Sequence[EncodedSentence], k: int
    ) -> list[list[dict[str, Any]]]:
        """Return the `k` most probable trees of each, or all where there are fewer."""
        return answers_of(self.labelled_arcs(items).k_best(k))

    def propose(
        self, items: Sequence[EncodedSentence], *, k: int, rng: np.random.Generator
    ) -> list[list[dict[str, Any]]]:
        """Return the `k` most probable trees of each sentence, the best first."""
        return best(self).propose(items, k=k, rng=rng)

    def proposer(self, generator: str, **options: Any) -> Proposes:  # noqa: ANN401
        """Return what makes candidates in another way.

        Args:
            generator: `k-best`, or `dropout-p` with the rate `p` and
                `shared_encoder`.
            options: Of the generator.

        Raises:
            UsageError: The generator or an option is unknown or out of range.

        """
        return named_candidates(self, generator, options, _GENERATORS, noun="parser")

    def log_probability(
        self,
        items: Sequence[EncodedSentence],
        answers: Sequence[Sequence[object]],
    ) -> list[Values]:
        """Return log p of each tree of each sentence, in nats.

        What is no tree over the words, or has an unknown relation, has -inf.
        """
        if not items:
            return []
        trees = [[Tree.of(answer) for answer in of_one] for of_one in answers]
        return self.labelled_arcs(items).score(trees)

    @property
    def weights(self) -> dict[str, Array]:
        """Tensors of the network by name."""
        return weights_of(self.network)

    @property
    def label_axes(self) -> dict[str, int]:
        """Tensors with an entry for each relation."""
        return {"label": 1}

    @property
    def built_as(self) -> dict[str, Any]:
        """What decides what the tensors mean: the words, characters and tags."""
        columns = self.vocabulary.config()
        known = digest({k: v for k, v in columns.items() if k != "labels"})
        return {"kind": "biaffine", "vocabulary": known}

    def with_weights(self, weights: Mapping[str, Array]) -> "BiaffineParser":
        """Return a copy with other tensors."""
        return replace(self, network=with_weights(self.network, weights))

    def save(self, directory: Path) -> None:
        """Write what `load` reads."""
        save("biaffine", self.network, self.vocabulary, directory)

    def labelled_arcs(self, items: Sequence[EncodedSentence]) -> LabelledArcs:
        """Return log p of every labelled arc of at least one sentence."""
        batch = batch_of(items, self.network.arc.device)
        with torch.inference_mode():
            return self._arcs(batch, self.network.encode(batch))

    def _sampled(
        self,
        items: Sequence[EncodedSentence],
        batch: SentenceBatch,
        states: Tensor | None,
        samples: Samples,
    ) -> LabelledArcs:
        """Score the sentences once for each sample, one sample after the other."""
        network, each = self.network, batch.repeated(len(samples))
        with samples.switched_on(network, [item.sentence for item in items]):
            if states is None:
                return self._arcs(each, network.encode(each))
            thinned = network.encoder.dropout(states.repeat(len(samples), 1, 1))
            return self._arcs(each, network.seen(thinned))

    def _arcs(self, batch: SentenceBatch, views: Views) -> LabelledArcs:
        return LabelledArcs(
            scores=self.network.scored(views, batch.mask),
            lengths=batch.lengths - 1,
            labels=self.labels,
        )


def load(directory: Path, *, labels: tuple[str, ...], device: str) -> BiaffineParser:
    """Read what `biaffine_training.train` wrote.

    Raises:
        ModelError: The weights do not fit the configuration.

    """
    sizes, vocabulary = read_config(directory, labels)
    encoder = EncoderSizes(**sizes.pop("encoder"))
    network = BiaffineNetwork(BiaffineSizes(encoder=encoder, **sizes))
    read_weights(network, directory, device)
    return BiaffineParser(network=network, vocabulary=vocabulary)
