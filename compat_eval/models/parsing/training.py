"""What the trainings of our parsers share: settings, training data, saved files."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from compat_eval.core.arrays import Ints
from compat_eval.core.errors import DataError
from compat_eval.core.examples import Examples
from compat_eval.core.files import read_json
from compat_eval.core.progress import Progress
from compat_eval.models.parsing.batching import (
    SentenceBatch,
    batch_of,
    packed,
    padded,
    shuffled,
)
from compat_eval.models.parsing.encoder import EncoderSizes
from compat_eval.models.parsing.sentence import (
    Sentence,
    Tree,
    sentence_from,
    tree_from,
)
from compat_eval.models.parsing.vocabulary import EncodedSentence, Vocabulary
from compat_eval.models.training.loop import FitSettings, fit
from compat_eval.models.training.saved_weights import write_model

_CPU = torch.device("cpu")
_DEV_TOKENS = 4000


class ParserSettings(FitSettings):
    """How a parser reads, and how it is trained."""

    batch_tokens: int = Field(default=500, ge=1)
    """Tokens of one step, padding included: parsers learn faster in small steps."""
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

    def encoder_sizes(self, vocabulary: Vocabulary) -> EncoderSizes:
        """Return the sizes of the sentence encoder for a vocabulary."""
        return encoder_sizes(self, vocabulary, tag_width=self.tag_width)


def encoder_sizes(
    settings: Any,  # noqa: ANN401 - they need no common class
    vocabulary: Vocabulary,
    *,
    tag_width: int,
) -> EncoderSizes:
    """Return the sizes of a sentence encoder, those of settings by their names."""
    words, characters, tags = vocabulary.sizes
    known = {one.name for one in fields(EncoderSizes)}
    named = {name: size for name, size in settings if name in known}
    counts = {"words": words, "characters": characters, "tags": tags}
    return EncoderSizes(**{**named, **counts, "tag_width": tag_width})


def treebank(examples: Examples) -> tuple[list[Sentence], list[Tree]]:
    """Return inputs and gold trees; sentences without words are left out.

    Raises:
        DataError: An example is no sentence with a tree, or there is none at all.

    """
    sentences: list[Sentence] = []
    trees: list[Tree] = []
    ids, inputs, gold = (
        examples.column(name).to_pylist() for name in ("id", "input", "gold")
    )
    for name, value, answer in zip(ids, inputs, gold, strict=True):
        try:
            sentence = sentence_from(value)
            tree = tree_from(answer, sentence)
        except DataError as error:
            raise DataError(f"example {name}: {error}") from error
        if len(sentence):
            sentences.append(sentence)
            trees.append(tree)
    if not sentences:
        raise DataError("training needs at least one sentence with words; got none")
    return sentences, trees


@dataclass(frozen=True, slots=True, kw_only=True)
class _EncodedTreebank:
    """Sentences and trees as numbers, the artificial root in front.

    Attributes:
        items: The sentences.
        heads: Head of each token, 0 for the root's own.
        labels: Likewise its relation, -1 where the vocabulary does not have it.

    """

    items: list[EncodedSentence]
    heads: list[Ints]
    labels: list[Ints]

    @classmethod
    def of(
        cls,
        vocabulary: Vocabulary,
        sentences: Sequence[Sentence],
        trees: Sequence[Tree],
    ) -> "_EncodedTreebank":
        """Encode sentences and trees."""
        numbers = [vocabulary.label_numbers(tree.deprels) for tree in trees]
        return cls(
            items=[vocabulary.encode(sentence) for sentence in sentences],
            heads=[np.array([0, *tree.heads], np.int64) for tree in trees],
            labels=[np.concatenate([[0], label]) for label in numbers],
        )

    @property
    def lengths(self) -> Ints:
        """Tokens of each sentence; shape (n_sentences,)."""
        return np.array([len(item) for item in self.items], np.int64)

    def batch(self, rows: Sequence[int]) -> tuple[SentenceBatch, Tensor, Tensor]:
        """Return some sentences padded, their heads and their labels."""
        batch = batch_of([self.items[row] for row in rows], _CPU)
        here = batch.mask.numpy()
        heads = padded([self.heads[row] for row in rows], here, _CPU)
        labels = padded([self.labels[row] for row in rows], here, _CPU)
        return batch, heads, labels


@dataclass(frozen=True, slots=True, kw_only=True)
class ParserData:
    """What a parser is trained on.

    Attributes:
        vocabulary: Of the training sentences.
        trees: Their gold trees.
        train: They, encoded.
        dev: Sentences to stop early by.

    """

    vocabulary: Vocabulary
    trees: list[Tree]
    train: _EncodedTreebank
    dev: _EncodedTreebank | None

    @classmethod
    def of(
        cls, examples: Examples, dev: Examples | None, *, min_count: int
    ) -> "ParserData":
        """Read examples of the dependency task.

        Args:
            examples: To train on.
            dev: To stop early by.
            min_count: See `ParserSettings`.

        Raises:
            DataError: An example is no sentence with a tree, or there is none at all.

        """
        sentences, trees = treebank(examples)
        vocabulary = Vocabulary.of(sentences, trees, min_count=min_count)
        return cls(
            vocabulary=vocabulary,
            trees=trees,
            train=_EncodedTreebank.of(vocabulary, sentences, trees),
            dev=None
            if dev is None
            else _EncodedTreebank.of(vocabulary, *treebank(dev)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ParserLearner:
    """What the training of a parser fits: a `Learner`.

    Attributes:
        network: What is trained.
        data: What it learns from.
        loss: Returns the mean loss of some training sentences.
        found: Returns heads and labels of all tokens of a batch.

    """

    network: Any
    data: ParserData
    loss: Callable[[Sequence[int]], Tensor]
    found: Callable[[SentenceBatch], tuple[Tensor, Tensor]]
    score: str = "LAS"

    @property
    def lengths(self) -> Ints:
        """Tokens of each training sentence."""
        return self.data.train.lengths

    @torch.inference_mode()
    def dev_accuracy(self) -> float | None:
        """Return the share of dev words whose head and label are right."""
        dev = self.data.dev
        if dev is None:
            return None
        right = words = 0
        for rows in packed(dev.lengths, _DEV_TOKENS):
            batch, heads, labels = dev.batch(rows.tolist())
            found, named = self.found(batch)
            right += int(((found == heads) & (named == labels) & batch.is_word).sum())
            words += int(batch.is_word.sum())
        return right / words


def train_parser(
    kind: str,
    learner: ParserLearner,
    settings: ParserSettings,
    *,
    seed: int,
    out: Path,
    progress: Progress,
) -> list[dict[str, Any]]:
    """Train a parser's network and save it; return what happened."""
    network = learner.network
    history = fit(
        learner,
        settings,
        # The optimizer of Dozat and Manning's parser.
        optimizer=torch.optim.Adam(network.parameters(), betas=(0.9, 0.9), fused=True),
        batches=partial(shuffled, learner.lengths, settings.batch_tokens),
        seed=seed,
        out=out,
        progress=progress,
    )
    save(kind, network, learner.data.vocabulary, out)
    return history


def save(
    kind: str,
    network: Any,  # noqa: ANN401 - any module with `sizes`
    vocabulary: Vocabulary,
    out: Path,
    *,
    sizes: Mapping[str, Any] | None = None,
) -> None:
    """Write a trained parser's two files: config.json and model.safetensors.

    Args:
        kind: Name of its architecture, as in `compat-eval train --model`.
        network: Its weights.
        vocabulary: How it reads.
        out: The directory.
        sizes: What the network is built from, JSON-ready; by default its `sizes`.

    """
    config = {
        "sizes": asdict(network.sizes) if sizes is None else dict(sizes),
        "vocabulary": vocabulary.config(),
        "labels": list(vocabulary.labels),
    }
    write_model(out, network.state_dict(), kind, config)


def read_config(
    directory: Path, labels: tuple[str, ...]
) -> tuple[dict[str, Any], Vocabulary]:
    """Return the sizes and the vocabulary that `save` wrote.

    Args:
        directory: Where the files are.
        labels: What the relations are called now, in their order.

    """
    config = read_json(directory / "config.json")
    vocabulary = {**config["vocabulary"], "labels": labels}
    return dict(config["sizes"]), Vocabulary.from_config(vocabulary)
