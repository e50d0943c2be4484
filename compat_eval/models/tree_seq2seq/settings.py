"""The settings of the tree seq2seq model."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from compat_eval.models.parsing.encoder import EncoderSizes
from compat_eval.models.parsing.vocabulary import Vocabulary
from compat_eval.models.training.loop import FitSettings
from compat_eval.models.tree_seq2seq.parser import DecoderSizes


class TreeSeq2SeqSettings(FitSettings):
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
    weight_decay: float = Field(default=0.0, ge=0)
    warmup: float = Field(default=0.05, ge=0, lt=1)
    clip: float = Field(default=1.0, gt=0)
    patience: int = Field(default=3, ge=1)

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
