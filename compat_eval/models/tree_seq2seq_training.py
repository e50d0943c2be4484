"""How the tree seq2seq model is trained, and how it is saved and read again."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field
from torch import Tensor

from compat_eval.core.arrays import Ints
from compat_eval.core.examples import Examples
from compat_eval.models.parser_batching import packed
from compat_eval.models.parser_encoder import EncoderSizes
from compat_eval.models.parser_fit import seeded
from compat_eval.models.parser_saving import read_config, read_weights, save
from compat_eval.models.parser_vocabulary import Vocabulary
from compat_eval.models.torch_fit import Schedule, fit
from compat_eval.models.training import CHECKPOINT, Progress, Settings, settings_from
from compat_eval.models.tree_seq2seq import DecoderSizes, TreeNetwork
from compat_eval.models.tree_seq2seq_actions import Derivations
from compat_eval.models.tree_seq2seq_data import Parsed, Written
from compat_eval.models.tree_seq2seq_model import TreeSeq2Seq
from compat_eval.models.tree_seq2seq_reading import EncodedUtterance, WordEncoder

_DEV_TOKENS = 4000


class TreeSeq2SeqSettings(Settings):
    """Settings of `--model seq2seq`."""

    min_count: int = Field(default=2, ge=1)
    """How often a word must occur to have an embedding of its own."""
    word_width: int = Field(default=100, ge=1)
    character_width: int = Field(default=24, ge=1)
    spelling_width: int = Field(default=48, ge=1)
    shape_width: int = Field(default=12, ge=1)
    hidden: int = Field(default=128, ge=1)
    """Cells of an LSTM of the encoder, in each direction."""
    n_layers: int = Field(default=1, ge=1)
    decoder: int = Field(default=160, ge=1)
    """Cells of the LSTM that writes."""
    token_width: int = Field(default=32, ge=1)
    width: int = Field(default=96, ge=1)
    """Numbers in which words and labels are compared with what is asked for."""
    dropout: float = Field(default=0.33, ge=0, lt=1)
    word_dropout: float = Field(default=0.05, ge=0, lt=1)
    """Share of words that training replaces by the unknown word."""
    epochs: int = Field(default=12, ge=1)
    batch_size: int = Field(default=64, ge=1)
    learning_rate: float = Field(default=4e-3, gt=0)
    weight_decay: float = Field(default=0.0, ge=0)
    warmup: float = Field(default=0.05, ge=0, lt=1)
    patience: int = Field(default=3, ge=1)

    def schedule(self) -> Schedule:
        """Return how long and how fast to train."""
        return Schedule(**self.model_dump(include=set(Schedule.__slots__)))

    def encoder_sizes(self, vocabulary: Vocabulary) -> EncoderSizes:
        """Return the sizes of the encoder for a vocabulary."""
        words, characters, shapes = vocabulary.sizes
        return EncoderSizes(
            words=words,
            characters=characters,
            tags=shapes,
            word_width=self.word_width,
            character_width=self.character_width,
            tag_width=self.shape_width,
            spelling_width=self.spelling_width,
            hidden=self.hidden,
            n_layers=self.n_layers,
            dropout=self.dropout,
            word_dropout=self.word_dropout,
        )

    def decoder_sizes(self, states: int) -> DecoderSizes:
        """Return the sizes of the decoder for an encoder's states."""
        return DecoderSizes(
            states=states,
            hidden=self.decoder,
            token_width=self.token_width,
            width=self.width,
            dropout=self.dropout,
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
    """Train; see `compat_eval.models.training.Trainer`.

    Raises:
        DataError: A gold answer is no tree, or none can be written.

    """
    settings = settings_from(TreeSeq2SeqSettings, config)
    parsed = Parsed.of(examples)
    vocabulary = vocabulary_of(parsed, min_count=settings.min_count)
    train_set = Written.of(parsed, vocabulary, vocabulary.labels)
    if train_set.n_left_out:
        progress.note(
            f"{train_set.n_left_out} of {len(examples)} training examples left out: "
            "their trees do not hold the words of their utterances"
        )
    encoder = settings.encoder_sizes(vocabulary)
    decoder = settings.decoder_sizes(2 * encoder.hidden)
    network = seeded(lambda: _network(encoder, decoder, vocabulary.labels), seed)
    learner = Learner(
        model=TreeSeq2Seq(network=network, reader=vocabulary),
        train=train_set,
        dev=None if dev is None else Questions.of(dev, vocabulary),
    )
    history = fit(
        learner,
        settings.schedule(),
        seed=seed,
        checkpoint=out / CHECKPOINT,
        progress=progress,
    )
    save_model(learner.model, vocabulary, encoder, out)
    return history


def vocabulary_of(parsed: Parsed, *, min_count: int) -> Vocabulary:
    """Collect words, characters, shapes and labels."""
    found = Vocabulary.of(parsed.sentences, [], min_count=min_count)
    return Vocabulary.from_config({**found.config(), "labels": parsed.labels})


def save_model(
    model: TreeSeq2Seq, vocabulary: Vocabulary, encoder: EncoderSizes, out: Path
) -> None:
    """Write what `load` reads."""
    sizes = {"encoder": asdict(encoder), "decoder": asdict(model.network.sizes)}
    save("seq2seq", model.network, sizes, vocabulary, out)


def load(directory: Path, *, labels: tuple[str, ...], device: str) -> TreeSeq2Seq:
    """Read what `train` wrote.

    Raises:
        RuntimeError: The weights do not fit the configuration.

    """
    sizes, vocabulary = read_config(directory, labels)
    network = _network(
        EncoderSizes(**sizes["encoder"]), DecoderSizes(**sizes["decoder"]), labels
    )
    read_weights(network, directory, device)
    return TreeSeq2Seq(network=network, reader=vocabulary)


def _network(
    encoder: EncoderSizes, decoder: DecoderSizes, labels: Sequence[str]
) -> TreeNetwork:
    return TreeNetwork(WordEncoder(encoder), decoder, labels)


@dataclass(frozen=True, slots=True)
class Questions:
    """Utterances of dev with the answers that are right."""

    items: list[EncodedUtterance]
    gold: list[str]

    @classmethod
    def of(cls, examples: Examples, reader: Vocabulary) -> "Questions":
        """Read examples."""
        parsed = Parsed.of(examples)
        return cls([reader.encode(one) for one in parsed.sentences], parsed.gold)


@dataclass(frozen=True, slots=True)
class Learner:
    """What `torch_fit` trains."""

    model: TreeSeq2Seq
    train: Written
    dev: Questions | None

    @property
    def network(self) -> TreeNetwork:
        """The network."""
        return self.model.network

    def groups(self) -> list[dict[str, Any]]:
        """Return all parameters as one group."""
        return [{"params": list(self.network.parameters()), "scale": 1.0}]

    @property
    def lengths(self) -> Ints:
        """Tokens of each training tree."""
        return self.train.lengths

    def loss(self, rows: Sequence[int]) -> Tensor:
        """Return mean nats for a token of some trees."""
        trees = Derivations.of(
            [self.train.derivations[row] for row in rows], self.network.device
        )
        memory = self.network.encode([self.train.items[row] for row in rows])
        nats = self.network.step_nats(memory, trees)
        return -nats.sum() / trees.is_real.sum()

    def dev_accuracy(self) -> float | None:
        """Return the share of dev utterances whose whole tree is right."""
        if self.dev is None:
            return None
        right = 0
        lengths = np.array([len(item) for item in self.dev.items], np.int64)
        for rows in packed(lengths, _DEV_TOKENS):
            texts = self.model.best_texts([self.dev.items[row] for row in rows])
            gold = [self.dev.gold[row] for row in rows]
            right += sum(said == meant for said, meant in zip(texts, gold, strict=True))
        return right / len(self.dev.items)
