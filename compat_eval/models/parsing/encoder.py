"""From tokens to vectors in context: embeddings, a character CNN and BiLSTMs."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from compat_eval.models.parsing.batching import SentenceBatch
from compat_eval.models.parsing.dropout import SharedDropout, TokenDropout
from compat_eval.models.parsing.vocabulary import UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderSizes:
    """Sizes of the sentence encoder.

    Attributes:
        words, characters, tags: Rows of the embedding tables.
        word_width, character_width, tag_width: Numbers in one embedding.
        spelling_width: Filters of the character CNN.
        hidden: Cells of an LSTM, in each direction.
        n_layers: How many BiLSTMs stand on one another.
        dropout: Share of everything that training leaves out.
        word_dropout: Share of words that training replaces by the unknown word.

    """

    words: int
    characters: int
    tags: int
    word_width: int
    character_width: int
    tag_width: int
    spelling_width: int
    hidden: int
    n_layers: int
    dropout: float
    word_dropout: float

    @property
    def token_width(self) -> int:
        """Numbers that stand for one token before the LSTMs."""
        return self.word_width + self.spelling_width + self.tag_width


class _TokenEmbedding(nn.Module):
    """A token as word, spelling and tag, side by side.

    In training each of the three is left out at random, the others scaled up.
    """

    def __init__(self, sizes: EncoderSizes) -> None:
        super().__init__()
        self.words = nn.Embedding(sizes.words, sizes.word_width)
        self.tags = nn.Embedding(sizes.tags, sizes.tag_width)
        self.characters = nn.Embedding(
            sizes.characters, sizes.character_width, padding_idx=0
        )
        self.spelling = nn.Conv1d(
            sizes.character_width, sizes.spelling_width, kernel_size=3, padding=1
        )
        nn.init.normal_(self.words.weight, std=sizes.word_width**-0.5)
        nn.init.normal_(self.tags.weight, std=sizes.tag_width**-0.5)
        self.word_dropout = sizes.word_dropout
        self.dropout = TokenDropout(sizes.dropout)

    def forward(self, batch: SentenceBatch) -> Tensor:
        """Return shape (n_sentences, width, token_width)."""
        words = batch.words
        if self.training and self.word_dropout:
            replaced = torch.rand(words.shape, device=words.device) < self.word_dropout
            words = words.masked_fill(replaced & (words > UNKNOWN), UNKNOWN)
        spellings = self._spelled(batch.spellings)
        parts = [self.words(words), spellings[batch.spelling], self.tags(batch.tags)]
        joined: Tensor = self.dropout(parts)
        return joined

    def _spelled(self, spellings: Tensor) -> Tensor:
        letters = self.characters(spellings).transpose(1, 2)
        found = self.spelling(letters).masked_fill((spellings == 0)[:, None], -1e4)
        return torch.tanh(found.amax(dim=-1))


class SentenceEncoder(nn.Module):
    """Embeddings and BiLSTMs.

    Each direction is an LSTM of its own that reads a sentence from its first
    (or last) token on, so padding always comes after what it could disturb.
    """

    def __init__(self, sizes: EncoderSizes) -> None:
        super().__init__()
        self.tokens = _TokenEmbedding(sizes)
        widths = [sizes.token_width] + [2 * sizes.hidden] * (sizes.n_layers - 1)
        self.forwards = nn.ModuleList(_lstm(width, sizes.hidden) for width in widths)
        self.backwards = nn.ModuleList(_lstm(width, sizes.hidden) for width in widths)
        self.dropout = SharedDropout(sizes.dropout)

    def forward(self, batch: SentenceBatch) -> Tensor:
        """Return shape (n_sentences, width, 2 × hidden)."""
        states: Tensor = self.tokens(batch).transpose(0, 1)
        turned = _turned(batch)
        for ahead, back in zip(self.forwards, self.backwards, strict=True):
            left = ahead(states)[0]
            right = _along(back(_along(states, turned))[0], turned)
            both = torch.cat([left, right], dim=-1)
            states = self.dropout(both.transpose(0, 1)).transpose(0, 1)
        return states.transpose(0, 1)


def _turned(batch: SentenceBatch) -> Tensor:
    """Positions that turn each sentence round and leave its padding behind it."""
    at = torch.arange(batch.words.shape[1], device=batch.words.device).unsqueeze(-1)
    return torch.where(at < batch.lengths, batch.lengths - 1 - at, at)


def _along(states: Tensor, positions: Tensor) -> Tensor:
    rows = torch.arange(states.shape[1], device=states.device)
    return states[positions, rows]


def _lstm(width: int, hidden: int) -> nn.LSTM:
    lstm = nn.LSTM(width, hidden)
    for name, parameter in lstm.named_parameters():
        if name.startswith("weight_hh"):
            for gate in parameter.detach().chunk(4):
                nn.init.orthogonal_(gate)
        elif name.startswith("weight_ih"):
            nn.init.xavier_uniform_(parameter)
        else:
            nn.init.zeros_(parameter)
    return lstm
