"""Several tree seq2seq models that write one tree together, token by token.

A label that another model does not know has the first one's log p there: who does
not know a label has no say about it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import pyarrow as pa
import torch
from torch import Tensor

from compat_eval.models.parsing.label_views import numbers_of
from compat_eval.models.together import Together, items_of, require_weights
from compat_eval.models.tree_seq2seq.actions import (
    CLOSE,
    COPY,
    FIRST_LABEL,
    NOTHING,
    written,
)
from compat_eval.models.tree_seq2seq.network import Hidden, TreeNetwork
from compat_eval.models.tree_seq2seq.reading import Reader, utterances
from compat_eval.models.tree_seq2seq.search import beam_search
from compat_eval.models.tree_seq2seq.writing import NetworkWriter, Partial, Writer

Mean: TypeAlias = Literal["geometric", "arithmetic"]
_N_HIDDEN = 2
"""Tensors that one network keeps between two tokens."""


@dataclass(frozen=True, slots=True)
class Part:
    """One of the models.

    Attributes:
        weight: Its share, at least 0.
        network: Gives log p.
        reader: How it reads.

    """

    weight: float
    network: TreeNetwork
    reader: Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeMixture:
    """Models that write together; the first one's labels are used.

    Attributes:
        parts: The models with their weights.
        beam: How many trees of an utterance are kept.
        mean: Whether log-probabilities are added (`geometric`) or
            probabilities (`arithmetic`).

    """

    parts: tuple[Part, ...]
    beam: int
    mean: Mean = "geometric"

    def __post_init__(self) -> None:
        require_weights([part.weight for part in self.parts])

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the labels."""
        return self.parts[0].network.labels

    def encode(self, inputs: Sequence[Any]) -> list[Together]:
        """Encode utterances for each model.

        Raises:
            DataError: An input is no text.

        """
        columns = [utterances(part.reader, inputs) for part in self.parts]
        return [Together(items) for items in zip(*columns, strict=True)]

    def predict(self, items: Sequence[Together]) -> pa.Table:
        """Return a column `prediction`."""
        texts = self.best_texts(items) if items else []
        return pa.table({"prediction": pa.array(texts, pa.string())})

    @torch.inference_mode()
    def best_texts(self, items: Sequence[Together]) -> list[str]:
        """Return the best tree found of each of at least one utterance."""
        writers = []
        for at, part in enumerate(self.parts):
            memory = part.network.encode(items_of(items, at))
            writers.append((part.weight, NetworkWriter(part.network, memory)))
        found = beam_search(MixedWriter.of(writers, self.mean), self.beam)
        return [
            written(tokens[0], item.items[0].sentence.words, self.labels)
            for item, tokens in zip(items, found.tokens.tolist(), strict=True)
        ]


@dataclass(frozen=True, slots=True)
class _Voice:
    """One model's vote, its labels translated from the first one's.

    Attributes:
        weight: Its share.
        writer: Gives log p.
        label: Its number of each label, both from 1; 0 where it knows none.
        before: Likewise of each token.
        token: Its number of each token, from 0; -1 where it knows none.

    """

    weight: float
    writer: Writer
    label: Tensor
    before: Tensor
    token: Tensor

    @classmethod
    def of(cls, weight: float, writer: Writer, labels: Sequence[str]) -> "_Voice":
        numbers = numbers_of(labels, writer.labels)
        token = [COPY, CLOSE, *(n if n < 0 else n + FIRST_LABEL for n in numbers)]
        device = writer.n_words.device
        return cls(
            weight,
            writer,
            torch.tensor([NOTHING, *(n + 1 for n in numbers)], device=device),
            torch.tensor([NOTHING, *(n + 1 for n in token)], device=device),
            torch.tensor(token, device=device),
        )

    def next_nats(self, state: Partial, groups: Tensor) -> tuple[Tensor, Hidden]:
        """Return log p of the first one's tokens; nan for unknown ones."""
        translated = replace(
            state, stack=self.label[state.stack], before=self.before[state.before]
        )
        nats, hidden = self.writer.next_nats(translated, groups)
        found = nats[..., self.token.clamp(min=0)]
        return found.masked_fill(self.token < 0, torch.nan), hidden


@dataclass(frozen=True, slots=True)
class MixedWriter:
    """The weighted mean of several writers.

    Attributes:
        voices: They, the first of them with its own labels.
        mean: See `TreeMixture`.

    """

    voices: tuple[_Voice, ...]
    mean: Mean

    @classmethod
    def of(cls, writers: Sequence[tuple[float, Writer]], mean: Mean) -> "MixedWriter":
        """Mix at least one writer."""
        labels = writers[0][1].labels
        return cls(tuple(_Voice.of(w, one, labels) for w, one in writers), mean)

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the labels."""
        return self.voices[0].writer.labels

    @property
    def n_words(self) -> Tensor:
        """Words of each utterance, shape (n_utterances, 1)."""
        return self.voices[0].writer.n_words

    def begin(self, beam: int) -> Hidden:
        """Return what stands before the first token, of one after the other."""
        return tuple(part for v in self.voices for part in v.writer.begin(beam))

    def next_nats(self, state: Partial, groups: Tensor) -> tuple[Tensor, Hidden]:
        """Return the mean; no log p where it is `geometric`, as the sum is not 1."""
        nats: list[Tensor] = []
        hidden: list[Tensor] = []
        for at, voice in enumerate(self.voices):
            own = state.hidden[at * _N_HIDDEN : (at + 1) * _N_HIDDEN]
            found, after = voice.next_nats(replace(state, hidden=own), groups)
            first = nats[0] if nats else found
            nats.append(torch.where(found.isnan(), first, found))
            hidden += after
        return self._mean(nats), tuple(hidden)

    def _mean(self, nats: Sequence[Tensor]) -> Tensor:
        heard = [
            (voice.weight, found)
            for voice, found in zip(self.voices, nats, strict=True)
            if voice.weight
        ]
        if self.mean == "geometric":
            return torch.stack([weight * found for weight, found in heard]).sum(dim=0)
        parts = [found + math.log(weight) for weight, found in heard]
        return torch.stack(parts).logsumexp(dim=0)
