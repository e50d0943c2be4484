"""The deep biaffine parser's network.

Dozat and Manning, "Deep Biaffine Attention for Neural Dependency Parsing",
ICLR 2017, https://arxiv.org/abs/1611.01734.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from compat_eval.models.parsing.batching import SentenceBatch
from compat_eval.models.parsing.dropout import SharedDropout
from compat_eval.models.parsing.encoder import EncoderSizes, SentenceEncoder

_SLOPE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class BiaffineSizes:
    """Sizes of the parser.

    Attributes:
        encoder: Of the sentence encoder.
        arc_width: Numbers that stand for a word as head, and as dependent.
        label_width: The same for the choice of the relation.
        labels: How many relations there are.

    """

    encoder: EncoderSizes
    arc_width: int
    label_width: int
    labels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Views:
    """The encoded words in their four roles, each (n_sentences, width, …)."""

    arc_dependent: Tensor
    arc_head: Tensor
    label_dependent: Tensor
    label_head: Tensor


class BiaffineNetwork(nn.Module):
    """Scores for every arc and every relation on it."""

    def __init__(self, sizes: BiaffineSizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.encoder = SentenceEncoder(sizes.encoder)
        widths = [
            sizes.arc_width,
            sizes.arc_width,
            sizes.label_width,
            sizes.label_width,
        ]
        self.views = nn.Linear(2 * sizes.encoder.hidden, sum(widths))
        nn.init.orthogonal_(self.views.weight)
        nn.init.zeros_(self.views.bias)
        self.activation = nn.LeakyReLU(_SLOPE)
        self.dropout = SharedDropout(sizes.encoder.dropout)
        self.arc = nn.Parameter(torch.zeros(sizes.arc_width + 1, sizes.arc_width))
        with_one = sizes.label_width + 1
        self.label = nn.Parameter(torch.zeros(with_one, sizes.labels, with_one))

    def encode(self, batch: SentenceBatch) -> Views:
        """Read a batch."""
        return self.seen(self.encoder(batch))

    def seen(self, states: Tensor) -> Views:
        """Return encoded words in their roles."""
        seen = self.dropout(self.activation(self.views(states)))
        arc, label = self.sizes.arc_width, self.sizes.label_width
        parts = seen.split([arc, arc, label, label], dim=-1)
        return Views(
            arc_dependent=parts[0],
            arc_head=parts[1],
            label_dependent=parts[2],
            label_head=parts[3],
        )

    def arc_scores(self, views: Views, mask: Tensor) -> Tensor:
        """Return shape (n_sentences, width, width): dependent by head.

        Padding and the word itself are no possible heads (-inf); every row has
        a possible head, so that padding brings no nan.
        """
        asked = views.arc_dependent @ self.arc[:-1] + self.arc[-1]
        scores = asked @ views.arc_head.transpose(1, 2)
        width = mask.shape[1]
        itself = torch.eye(width, dtype=torch.bool, device=mask.device)
        itself[0, 0] = False
        return scores.masked_fill(itself | ~mask.unsqueeze(1), -torch.inf)

    def label_scores(self, views: Views) -> Tensor:
        """Return shape (n_sentences, width - 1, width, labels): word, head, label."""
        words = _one(views.label_dependent[:, 1:])
        asked = torch.einsum("bdi,ijl->bdjl", words, self.label.transpose(1, 2))
        return _one(views.label_head).unsqueeze(1) @ asked

    def label_scores_at(self, views: Views, heads: Tensor) -> Tensor:
        """Return scores of the labels on given arcs.

        Args:
            views: A batch that was read.
            heads: Head of each token, shape (n_sentences, width).

        Returns:
            Shape (n_sentences, width, labels).

        """
        rows = torch.arange(len(heads), device=heads.device).unsqueeze(-1)
        chosen = _one(views.label_head[rows, heads])
        asked = torch.einsum("bdi,ilj->bdlj", _one(views.label_dependent), self.label)
        return (asked @ chosen.unsqueeze(-1)).squeeze(-1)

    def scored(self, views: Views, mask: Tensor) -> Tensor:
        """Return log p of every labelled arc, in nats.

        That is log p of the head, and log p of the label given that head.

        Args:
            views: A batch that was read.
            mask: Which of its tokens are real.

        Returns:
            Shape (n_sentences, n_words, n_words + 1, labels), without the root's
            own row; -inf where a head is padding or the word itself.

        """
        arcs = self.arc_scores(views, mask)[:, 1:].log_softmax(dim=-1)
        return self.label_scores(views).log_softmax(dim=-1).add_(arcs.unsqueeze(-1))


def _one(states: Tensor) -> Tensor:
    """Append a 1, so that one product holds the linear terms and the bias."""
    return torch.cat([states, torch.ones_like(states[..., :1])], dim=-1)
