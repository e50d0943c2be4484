"""How the biaffine parser is trained."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from compat_eval.core.arrays import Ints
from compat_eval.core.examples import Examples
from compat_eval.models.biaffine import BiaffineNetwork, BiaffineSizes
from compat_eval.models.biaffine_saving import save
from compat_eval.models.parser_batching import Batch, batch_of, packed, padded
from compat_eval.models.parser_encoder import EncoderSizes
from compat_eval.models.parser_fit import FitSettings, fit
from compat_eval.models.parser_sentence import Tree
from compat_eval.models.parser_treebank import treebank
from compat_eval.models.parser_vocabulary import EncodedSentence, Vocabulary
from compat_eval.models.training import CHECKPOINT, Progress, settings_from

_CPU = torch.device("cpu")
_DEV_TOKENS = 4000


class BiaffineSettings(FitSettings):
    """Settings of `--model biaffine`."""

    min_count: int = Field(default=2, ge=1)
    """How often a word must occur to have an embedding of its own."""
    word_width: int = Field(default=100, ge=1)
    character_width: int = Field(default=32, ge=1)
    spelling_width: int = Field(default=64, ge=1)
    tag_width: int = Field(default=44, ge=1)
    hidden: int = Field(default=192, ge=1)
    """Cells of an LSTM, in each direction."""
    n_layers: int = Field(default=2, ge=1)
    arc_width: int = Field(default=192, ge=1)
    label_width: int = Field(default=48, ge=1)
    dropout: float = Field(default=0.33, ge=0, lt=1)
    word_dropout: float = Field(default=0.05, ge=0, lt=1)
    """Share of words that training replaces by the unknown word."""

    def sizes(self, vocabulary: Vocabulary) -> BiaffineSizes:
        """Return the sizes of a network for a vocabulary."""
        words, characters, tags = vocabulary.sizes
        return BiaffineSizes(
            encoder=EncoderSizes(
                words=words,
                characters=characters,
                tags=tags,
                word_width=self.word_width,
                character_width=self.character_width,
                tag_width=self.tag_width,
                spelling_width=self.spelling_width,
                hidden=self.hidden,
                n_layers=self.n_layers,
                dropout=self.dropout,
                word_dropout=self.word_dropout,
            ),
            arc_width=self.arc_width,
            label_width=self.label_width,
            labels=len(vocabulary.labels),
        )


def train(
    examples: Examples,
    dev: Examples | None,
    *,
    seed: int,
    out: Path,
    config: Mapping[str, Any],
    progress: Progress,
) -> list[dict[str, Any]]:
    """Train; see `compat_eval.models.training.Trainer`."""
    settings = settings_from(BiaffineSettings, config)
    sentences, trees = treebank(examples)
    vocabulary = Vocabulary.of(sentences, trees, min_count=settings.min_count)
    learner = _Learner(
        network=_network(settings.sizes(vocabulary), seed),
        train=_Encoded.of(vocabulary, sentences, trees),
        dev=None if dev is None else _Encoded.of(vocabulary, *treebank(dev)),
    )
    history = fit(
        learner,
        settings,
        seed=seed,
        checkpoint=out / CHECKPOINT,
        progress=progress,
    )
    save(learner.network, vocabulary, out)
    return history


@dataclass(frozen=True, slots=True, kw_only=True)
class _Encoded:
    """Sentences and trees as numbers, the artificial root in front."""

    items: list[EncodedSentence]
    heads: list[Ints]
    labels: list[Ints]

    @classmethod
    def of(
        cls, vocabulary: Vocabulary, sentences: Sequence[Any], trees: Sequence[Tree]
    ) -> "_Encoded":
        numbers = [vocabulary.label_numbers(tree.deprels) for tree in trees]
        return cls(
            items=[vocabulary.encode(sentence) for sentence in sentences],
            heads=[np.array([0, *tree.heads], np.int64) for tree in trees],
            labels=[np.concatenate([[0], label]) for label in numbers],
        )

    @property
    def lengths(self) -> Ints:
        return np.array([len(item) for item in self.items], np.int64)

    def batch(self, rows: Sequence[int]) -> tuple[Batch, Tensor, Tensor]:
        batch = batch_of([self.items[row] for row in rows], _CPU)
        here = batch.mask.numpy()
        heads = padded([self.heads[row] for row in rows], here, _CPU)
        labels = padded([self.labels[row] for row in rows], here, _CPU)
        return batch, heads, labels


@dataclass(frozen=True, slots=True, kw_only=True)
class _Learner:
    network: BiaffineNetwork
    train: _Encoded
    dev: _Encoded | None

    @property
    def lengths(self) -> Ints:
        return self.train.lengths

    def loss(self, rows: Sequence[int]) -> Tensor:
        return self.network.loss(*self.train.batch(rows))

    @torch.inference_mode()
    def dev_accuracy(self) -> float | None:
        """Labelled attachment of each word's best head, before trees are made."""
        if self.dev is None:
            return None
        right = words = 0
        for rows in packed(self.dev.lengths, _DEV_TOKENS):
            batch, heads, labels = self.dev.batch(rows.tolist())
            views, real = self.network.encode(batch), batch.mask
            real[:, 0] = False
            found = self.network.arc_scores(views, batch.mask).argmax(dim=-1)
            named = self.network.label_scores_at(views, found).argmax(dim=-1)
            right += int(((found == heads) & (named == labels) & real).sum())
            words += int(real.sum())
        return right / words


def _network(sizes: BiaffineSizes, seed: int) -> BiaffineNetwork:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return BiaffineNetwork(sizes)
