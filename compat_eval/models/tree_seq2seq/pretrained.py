"""A pretrained encoder of transformers in place of one learnt from scratch."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from torch import Tensor, nn

from compat_eval.core.arrays import Ints
from compat_eval.core.errors import ModelError
from compat_eval.models.encoders.pretrained import load_tokenizer, read_encoder
from compat_eval.models.parsing.dropout import SharedDropout
from compat_eval.models.parsing.sentence import Sentence

TOKENIZER = "tokenizer"
"""Directory of the tokenizer, in that of the model."""

_LONGEST = 512


@dataclass(frozen=True, slots=True)
class EncodedSubwords:
    """An utterance as pieces of words; its length is its words and one more.

    Attributes:
        sentence: What was encoded.
        ids: Numbers of its pieces.
        first: Where the utterance and then each of its words begins among them; 0
            for a word beyond the longest text that the encoder reads.

    """

    sentence: Sentence
    ids: Ints
    first: Ints

    def __len__(self) -> int:
        return len(self.first)


@dataclass(frozen=True, slots=True)
class SubwordReader:
    """Splits words into the pieces that a pretrained encoder knows.

    Attributes:
        tokenizer: Of transformers; it tells where pieces begin in a text.

    """

    tokenizer: Any

    def encode(self, sentence: Sentence) -> EncodedSubwords:
        """Return a sentence as numbers."""
        encoded = self.tokenizer(
            " ".join(sentence.words),
            truncation=True,
            max_length=min(self.tokenizer.model_max_length, _LONGEST),
            return_offsets_mapping=True,
        )
        begins = np.cumsum([0, *(len(word) + 1 for word in sentence.words)])[:-1]
        first = [0, *(_piece(encoded["offset_mapping"], at) for at in begins)]
        ids = np.array(encoded["input_ids"], np.int64)
        return EncodedSubwords(sentence, ids, np.array(first, np.int64))

    def digest(self, directory: Path) -> str:
        """Write the tokenizer's files; return a SHA-256 of them."""
        self.tokenizer.save_pretrained(directory)
        found = hashlib.sha256()
        for path in sorted(directory.iterdir()):
            found.update(path.name.encode() + b"\0" + path.read_bytes())
        return found.hexdigest()


def _piece(offsets: Sequence[tuple[int, int]], begin: int) -> int:
    there = (at for at, (a, b) in enumerate(offsets) if b > a and b > begin)
    return next(there, 0)


class _StateDropout(SharedDropout):
    """Dropout of transformers; one mask for a sentence at the time of answering.

    In training every number is left out by itself, as the encoder knows it.
    Attention has no dropout when it answers.
    """

    def forward(self, states: Tensor) -> Tensor:
        """Drop from states of shape (n_sentences, width, n_numbers)."""
        if self.sampling is None:
            return nn.functional.dropout(states, self.p, self.training)
        return super().forward(states) if states.ndim == 3 else states  # noqa: PLR2004


class PretrainedEncoder(nn.Module):
    """A transformer; a word's state is that of its first piece: `EncodesWords`.

    Attributes:
        transformer: Of transformers, without a head.

    """

    def __init__(self, transformer: nn.Module) -> None:
        super().__init__()
        self.transformer: Any = transformer
        for module in list(transformer.modules()):
            for name, child in list(module.named_children()):
                if isinstance(child, nn.Dropout):
                    setattr(module, name, _StateDropout(child.p))

    @property
    def width(self) -> int:
        """Numbers that stand for one word."""
        return int(self.transformer.config.hidden_size)

    def read(self, items: Sequence[EncodedSubwords], device: torch.device) -> Tensor:
        """Return states, shape (n_utterances, 1 + most words, width)."""
        padding = self.transformer.config.pad_token_id or 0
        ids = _padded([item.ids for item in items], padding)
        mask = _padded([np.ones_like(item.ids) for item in items], 0)
        first = _padded([item.first for item in items], 0).to(device)
        states: Tensor = self.transformer(
            input_ids=ids.to(device), attention_mask=mask.to(device)
        ).last_hidden_state
        rows = torch.arange(len(items), device=device).unsqueeze(-1)
        return states[rows, first]


def pretrained(directory: Path) -> tuple[PretrainedEncoder, SubwordReader]:
    """Read an encoder and its tokenizer.

    Raises:
        ModelError: It is no such directory, or the tokenizer does not know where
            pieces begin in a text.

    """
    transformer = read_encoder(directory, transformers.AutoModel)
    return PretrainedEncoder(transformer), reader_from(directory)


def reader_from(directory: Path) -> SubwordReader:
    """Read a tokenizer.

    Raises:
        ModelError: There is none, or it does not know where pieces begin in a text.

    """
    tokenizer = load_tokenizer(directory, str(directory))
    if not tokenizer.is_fast:
        raise ModelError(
            f"{directory}: its tokenizer does not tell where pieces of words begin; "
            "it needs a tokenizer.json"
        )
    return SubwordReader(tokenizer)


def described(encoder: PretrainedEncoder) -> dict[str, Any]:
    """Return what `rebuilt` needs, JSON-ready; no path is in it."""
    config = encoder.transformer.config.to_diff_dict()
    return {k: v for k, v in config.items() if k.lstrip("_") != "name_or_path"}


def rebuilt(config: Mapping[str, Any]) -> PretrainedEncoder:
    """Return an encoder without its weights."""
    settings = dict(config)
    kind = settings.pop("model_type")
    made = transformers.AutoConfig.for_model(kind, **settings)
    auto: Any = transformers.AutoModel
    return PretrainedEncoder(auto.from_config(made))


def _padded(rows: Sequence[Ints], filler: int) -> Tensor:
    grid = np.full((len(rows), max(map(len, rows))), filler, np.int64)
    for at, row in enumerate(rows):
        grid[at, : len(row)] = row
    return torch.from_numpy(grid)
