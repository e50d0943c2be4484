"""The settings that all parsers share."""

import torch
from pydantic import Field
from torch import nn

from compat_eval.models.parsing.encoder import EncoderSizes
from compat_eval.models.parsing.vocabulary import Vocabulary
from compat_eval.models.training.loop import FitSettings


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
        words, characters, tags = vocabulary.sizes
        return EncoderSizes(
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
        )


def adam(network: nn.Module) -> torch.optim.Optimizer:
    """Return the optimizer of Dozat and Manning's parser."""
    return torch.optim.Adam(network.parameters(), betas=(0.9, 0.9), fused=True)
