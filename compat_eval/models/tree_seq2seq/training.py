"""How the tree seq2seq model is trained: settings, data, the loop."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from compat_eval.core.arrays import Ints
from compat_eval.core.errors import DataError
from compat_eval.core.examples import Examples
from compat_eval.core.progress import Progress
from compat_eval.models.parsing.batching import packed
from compat_eval.models.parsing.encoder import EncoderSizes
from compat_eval.models.parsing.sentence import Sentence
from compat_eval.models.parsing.training import encoder_sizes
from compat_eval.models.parsing.vocabulary import Vocabulary
from compat_eval.models.training.data import texts_and_labels
from compat_eval.models.training.loop import (
    BatchSettings,
    fit_by_adamw,
    parameter_groups,
    seeded,
)
from compat_eval.models.training.objectives.parsing import sequence_loss
from compat_eval.models.training.train import Trainer
from compat_eval.models.tree_seq2seq.actions import (
    Derivation,
    PaddedDerivations,
    derivation,
    kinds_of,
    possible,
    slots_of,
)
from compat_eval.models.tree_seq2seq.network import DecoderSizes, TreeNetwork
from compat_eval.models.tree_seq2seq.parser import TreeSeq2Seq, save_model
from compat_eval.models.tree_seq2seq.reading import (
    EncodedUtterance,
    Reader,
    WordEncoder,
    sentence_of,
)
from compat_eval.tasks.semantic.trees import Node, bracketed, parse_tree


class TreeSeq2SeqSettings(BatchSettings):
    """Settings of `--model seq2seq`."""

    encoder: Path | None = None
    """Directory of a pretrained encoder and its tokenizer, which is fine-tuned; the
    next seven settings then mean nothing. Without it, one is learnt from scratch."""
    words: Literal["rules", "blanks"] = "rules"
    """What parts the words of an utterance: rules that split punctuation, clitics and
    times off, as in TOPv2, or only the blanks that stand there."""
    min_count: int = Field(default=2, ge=1)
    """How often a word must occur to have an embedding of its own."""
    word_width: int = Field(default=100, ge=1)
    character_width: int = Field(default=24, ge=1)
    spelling_width: int = Field(default=48, ge=1)
    shape_width: int = Field(default=12, ge=1)
    hidden: int = Field(default=128, ge=1)
    """Cells of an LSTM of the encoder, in each direction."""
    n_layers: int = Field(default=1, ge=1)
    word_dropout: float = Field(default=0.05, ge=0, lt=1)
    """Share of words that training replaces by the unknown word."""
    encoder_scale: float = Field(default=0.02, gt=0)
    """Learning rate of a pretrained encoder is the others' divided by this."""
    decoder: int = Field(default=160, ge=1)
    """Cells of the LSTM that writes."""
    token_width: int = Field(default=32, ge=1)
    width: int = Field(default=96, ge=1)
    """Numbers in which words and labels are compared with what is asked for."""
    dropout: float = Field(default=0.33, ge=0, lt=1)
    """Share that training leaves out; a pretrained encoder has its own."""
    epochs: int = Field(default=12, ge=1)
    batch_size: int = Field(default=64, ge=1)
    learning_rate: float = Field(default=4e-3, gt=0)
    warmup: float = Field(default=0.05, ge=0, lt=1)
    clip: float = Field(default=1.0, gt=0)
    patience: int = Field(default=3, ge=1)

    def encoder_sizes(self, vocabulary: Vocabulary) -> EncoderSizes:
        """Return the sizes of the encoder for a vocabulary."""
        return encoder_sizes(self, vocabulary, tag_width=self.shape_width)

    def decoder_sizes(self, states: int) -> DecoderSizes:
        """Return the sizes of the decoder for an encoder's states."""
        return DecoderSizes(
            states=states,
            hidden=self.decoder,
            token_width=self.token_width,
            width=self.width,
            dropout=self.dropout,
        )


@dataclass(frozen=True, slots=True)
class ParsedUtterances:
    """Utterances with their gold trees.

    Attributes:
        sentences: Their words.
        trees: Their trees.

    """

    sentences: list[Sentence]
    trees: list[Node]

    @classmethod
    def of(cls, examples: Examples, *, by_blanks: bool = False) -> "ParsedUtterances":
        """Read examples of the semantic task.

        Args:
            examples: With columns `input` and `gold`.
            by_blanks: Whether words are what stands between blanks.

        Raises:
            DataError: An input is no text, or a gold answer is no tree.

        """
        texts, gold = texts_and_labels(examples)
        trees = [parse_tree(one) for one in gold]
        if None in trees:
            at = trees.index(None)
            raise DataError(
                f"cannot train on {examples.ids[at].as_py()!r}: its gold answer is no "
                f"bracketed tree: {gold[at]!r}"
            )
        found = [tree for tree in trees if tree is not None]
        sentences = [sentence_of(text, by_blanks=by_blanks) for text in texts]
        return cls(sentences, found)

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the labels that occur, sorted."""
        return tuple(sorted({n.label for tree in self.trees for n in tree.nodes()}))

    @property
    def gold(self) -> list[str]:
        """The trees as the model writes them."""
        return [bracketed(tree) for tree in self.trees]


@dataclass(frozen=True, slots=True)
class WrittenTrees:
    """Utterances with the tokens of their trees.

    Attributes:
        items: Encoded utterances.
        derivations: A tree for each.
        n_left_out: Trees that cannot be written, with their utterances.

    """

    items: list[EncodedUtterance]
    derivations: list[Derivation]
    n_left_out: int

    @classmethod
    def of(
        cls, parsed: ParsedUtterances, reader: Reader, labels: Sequence[str]
    ) -> "WrittenTrees":
        """Encode what can be written.

        Raises:
            DataError: No tree can be.

        """
        number = {name: at for at, name in enumerate(labels)}
        pairs = [
            (sentence, derivation(tree, sentence.words, number))
            for sentence, tree in zip(parsed.sentences, parsed.trees, strict=True)
        ]
        kept = [
            (reader.encode(sentence), tokens)
            for sentence, tokens in pairs
            if tokens is not None and _is_possible(tokens, labels)
        ]
        if not kept:
            raise DataError(
                f"none of {len(pairs)} gold trees holds all words of its utterance in "
                "their order, intents and slots in turn, as [IN:STOP stop [SL:WHAT it "
                "] ] does; there is nothing to train on. Where blanks alone part the "
                "words, set `words: blanks`"
            )
        items, derivations = zip(*kept, strict=True)
        return cls(list(items), list(derivations), len(pairs) - len(kept))

    @property
    def lengths(self) -> Ints:
        """Tokens of each tree, shape (n_trees,)."""
        return np.array([len(tree) for tree in self.derivations], np.int64)


def _is_possible(tree: Derivation, labels: Sequence[str]) -> bool:
    steps = PaddedDerivations.of([tree], torch.device("cpu"))
    groups = possible(
        positions=steps.positions,
        depths=steps.depths,
        is_bare=steps.is_bare,
        in_slot=torch.tensor(slots_of(labels))[steps.tops],
        n_words=steps.n_words,
    )
    kinds = torch.tensor(kinds_of(labels))[steps.tokens]
    return bool(groups.gather(-1, kinds.unsqueeze(-1)).all())


_DEV_TOKENS = 4000


def _train(
    examples: Examples,
    dev: Examples | None,
    settings: TreeSeq2SeqSettings,
    *,
    seed: int,
    out: Path,
    progress: Progress,
) -> list[dict[str, Any]]:
    """Train.

    Raises:
        DataError: A gold answer is no tree, or none can be written.

    """
    parsed = ParsedUtterances.of(examples, by_blanks=settings.words == "blanks")
    model = _seeded_model(settings, parsed, seed)
    train_set = WrittenTrees.of(parsed, model.reader, model.labels)
    if train_set.n_left_out:
        progress.note(
            f"{train_set.n_left_out} of {len(examples)} training examples left out: "
            "their trees do not hold the words of their utterances (setting `words`)"
        )
    learner = _TreeLearner(
        model=model,
        train=train_set,
        dev=None if dev is None else _questions(dev, model),
    )
    scale = 1.0 if settings.encoder is None else settings.encoder_scale
    history = fit_by_adamw(
        learner,
        settings,
        groups=parameter_groups(model.network, "encoder.", scale=scale),
        seed=seed,
        out=out,
        progress=progress,
    )
    save_model(model, out)
    return history


train = Trainer(settings=TreeSeq2SeqSettings, run=_train)
"""Trains `--model seq2seq`."""


def _seeded_model(
    settings: TreeSeq2SeqSettings, parsed: ParsedUtterances, seed: int
) -> TreeSeq2Seq:
    """Return a model as it is before training."""
    by_blanks = settings.words == "blanks"
    if settings.encoder is None:
        vocabulary = vocabulary_of(parsed, min_count=settings.min_count)
        sizes = settings.encoder_sizes(vocabulary)
        network = seeded(
            lambda: TreeNetwork(
                WordEncoder(sizes),
                settings.decoder_sizes(2 * sizes.hidden),
                parsed.labels,
            ),
            seed,
        )
        return TreeSeq2Seq(network=network, reader=vocabulary, by_blanks=by_blanks)
    from compat_eval.models.tree_seq2seq.pretrained import pretrained  # noqa: PLC0415

    encoder, reader = pretrained(settings.encoder.expanduser())
    decoder = settings.decoder_sizes(encoder.width)
    network = seeded(lambda: TreeNetwork(encoder, decoder, parsed.labels), seed)
    return TreeSeq2Seq(network=network, reader=reader, by_blanks=by_blanks)


def vocabulary_of(parsed: ParsedUtterances, *, min_count: int) -> Vocabulary:
    """Collect words, characters, shapes and labels."""
    found = Vocabulary.of(parsed.sentences, [], min_count=min_count)
    return Vocabulary.from_config({**found.config(), "labels": parsed.labels})


def _questions(
    dev: Examples, model: TreeSeq2Seq
) -> tuple[list[EncodedUtterance], list[str]]:
    """Return utterances with the answers that are right."""
    parsed = ParsedUtterances.of(dev, by_blanks=model.by_blanks)
    return [model.reader.encode(one) for one in parsed.sentences], parsed.gold


@dataclass(frozen=True, slots=True, kw_only=True)
class _TreeLearner:
    model: TreeSeq2Seq
    train: WrittenTrees
    dev: tuple[list[EncodedUtterance], list[str]] | None
    score: str = "exact match"

    @property
    def network(self) -> TreeNetwork:
        return self.model.network

    @property
    def lengths(self) -> Ints:
        return self.train.lengths

    def loss(self, rows: Sequence[int]) -> Tensor:
        """Return mean nats for a token of some trees."""
        trees = PaddedDerivations.of(
            [self.train.derivations[row] for row in rows], self.network.device
        )
        memory = self.network.encode([self.train.items[row] for row in rows])
        return sequence_loss(self.network.step_nats(memory, trees), trees.is_real.sum())

    def dev_accuracy(self) -> float | None:
        """Return the share of dev utterances whose whole tree is right."""
        if self.dev is None:
            return None
        (items, gold), right = self.dev, 0
        for rows in packed(np.array([len(item) for item in items]), _DEV_TOKENS):
            answers = self.model.predict([items[row] for row in rows])
            texts = answers["prediction"].to_pylist()
            right += sum(
                said == gold[row] for said, row in zip(texts, rows, strict=True)
            )
        return right / len(items)
