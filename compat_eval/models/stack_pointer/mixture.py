"""Stack-pointer parsers that build one tree together, action by action.

The log-probabilities of each action are the weighted sum of the parsers', and a
beam looks for the best tree. With even weights it is the ensemble of Cai et al.,
NeurIPS 2022, https://arxiv.org/abs/2202.02976.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import torch

from compat_eval.models.parsing.batching import batch_of
from compat_eval.models.parsing.label_views import translation
from compat_eval.models.parsing.sentence import Tree, answer_column, sentence_from
from compat_eval.models.parsing.vocabulary import EncodedSentence, Vocabulary
from compat_eval.models.stack_pointer.network import StackPointerNetwork
from compat_eval.models.stack_pointer.search import Found, Voice, beam_search
from compat_eval.models.together import Together, items_of, require_weights


@dataclass(frozen=True, slots=True)
class Part:
    """One of the parsers.

    Attributes:
        weight: Its share, at least 0.
        network: Scores actions.
        vocabulary: How it reads words and names relations.

    """

    weight: float
    network: StackPointerNetwork
    vocabulary: Vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class StackPointerMixture:
    """Several parsers as one; the first one's relations are used.

    Another parser has no view of relations that it does not know (`label_views`).

    Attributes:
        parts: The parsers with their weights.
        beam: Partial trees that are kept.

    """

    parts: tuple[Part, ...]
    beam: int

    def __post_init__(self) -> None:
        require_weights([part.weight for part in self.parts])

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the relations."""
        return self.parts[0].vocabulary.labels

    def encode(self, inputs: Sequence[Any]) -> list[Together]:
        """Encode sentences for each parser.

        Raises:
            DataError: An input has no `words` and `upos`.

        """
        sentences = [sentence_from(value) for value in inputs]
        return [
            Together(tuple(part.vocabulary.encode(one) for part in self.parts))
            for one in sentences
        ]

    def predict(self, items: Sequence[Together]) -> pa.Table:
        """Return a column `prediction`: the best tree that the beam finds."""
        trees = self.best_trees(items) if items else []
        return pa.table({"prediction": answer_column(trees)})

    @torch.inference_mode()
    def best_trees(self, items: Sequence[Together]) -> list[Tree]:
        """Return the best tree found of each of at least one sentence."""
        parts = [(at, part) for at, part in enumerate(self.parts) if self._asked(part)]
        read = [items_of(items, at) for at, _ in parts]
        voices = [
            self._voice(part, of_one)
            for (_, part), of_one in zip(parts, read, strict=True)
        ]
        lengths = torch.tensor([len(item) for item in items])
        lengths = lengths.to(voices[0].memory.states.device)
        found = beam_search(voices, lengths, self.beam)
        return [trees[0] for trees in trees_of(read[0], found, 1, self.labels)]

    def _asked(self, part: Part) -> bool:
        """Whether a part counts: by its weight, or by views that others lack."""
        is_base = part is self.parts[0]
        strange = any(one.vocabulary.labels != self.labels for one in self.parts)
        return part.weight > 0 or (is_base and strange)

    def _voice(self, part: Part, items: Sequence[EncodedSentence]) -> Voice:
        batch = batch_of(items, part.network.arc.device)
        device = batch.lengths.device
        return Voice(
            network=part.network,
            memory=part.network.encode(batch),
            weight=part.weight,
            labels=translation(self.labels, part.vocabulary.labels, device),
        )


def trees_of(
    items: Sequence[EncodedSentence], found: Found, k: int, labels: Sequence[str]
) -> list[list[Tree]]:
    """Return up to `k` trees of each sentence, as they were found."""
    rows = zip(
        items,
        found.heads[:, :k].tolist(),
        found.labels[:, :k].tolist(),
        found.nats[:, :k].isfinite().tolist(),
        strict=True,
    )
    return [
        [
            Tree(tuple(head[1:n]), tuple(labels[number] for number in named[1:n]))
            for head, named, is_there in zip(heads, numbers, there, strict=True)
            if is_there
        ]
        for n, heads, numbers, there in ((len(item), *rest) for item, *rest in rows)
    ]
