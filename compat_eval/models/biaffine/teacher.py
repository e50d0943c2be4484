"""What a trained biaffine parser says of the sentences that another one learns from."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from compat_eval.core.arrays import Ints
from compat_eval.models.biaffine.parser import BiaffineParser
from compat_eval.models.biaffine.starting import saved_parser
from compat_eval.models.parsing.batching import batch_of, packed, padded
from compat_eval.models.parsing.training import ParserData
from compat_eval.models.training.data import UNKNOWN_LOGIT

_TOKENS = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class ArcTeacher:
    """OLD's log-probabilities on the training sentences, computed once.

    Attributes:
        arcs: Of each token's heads, by sentence: shape (n_tokens, n_tokens).
        labels: Of the learner's relations on each token's gold arc, by sentence:
            `UNKNOWN_LOGIT` for those that OLD lacks; shape (n_tokens, n_labels).

    """

    arcs: Sequence[Tensor]
    labels: Sequence[Tensor]

    @classmethod
    def of(cls, directory: Path, data: ParserData) -> "ArcTeacher":
        """Ask a trained parser about the training sentences.

        Raises:
            UsageError: There is no such parser.

        """
        parser = saved_parser(directory, "teacher")
        train, n = data.train, len(data.train.items)
        arcs: list[Tensor] = [torch.empty(0)] * n
        labels: list[Tensor] = [torch.empty(0)] * n
        place = {name: at for at, name in enumerate(parser.labels)}
        known = [place.get(name, -1) for name in data.vocabulary.labels]
        for rows in packed(train.lengths, _TOKENS):
            found = _asked(parser, data, rows)
            for row, arc, label in zip(rows.tolist(), *found, strict=True):
                size = len(train.items[row])
                kept = label[:size, known]
                kept[:, [at < 0 for at in known]] = UNKNOWN_LOGIT
                arcs[row], labels[row] = arc[:size, :size], kept
        return cls(arcs=arcs, labels=labels)

    def batch(self, rows: Sequence[int], width: int) -> tuple[Tensor, Tensor]:
        """Return both of some sentences, padded to a width by `UNKNOWN_LOGIT`."""
        n_labels = self.labels[0].shape[-1]
        arcs = torch.full((len(rows), width, width), UNKNOWN_LOGIT)
        labels = torch.full((len(rows), width, n_labels), UNKNOWN_LOGIT)
        for at, row in enumerate(rows):
            size = len(self.arcs[row])
            arcs[at, :size, :size] = self.arcs[row]
            labels[at, :size] = self.labels[row]
        return arcs, labels


@torch.inference_mode()
def _asked(
    parser: BiaffineParser, data: ParserData, rows: Ints
) -> tuple[Tensor, Tensor]:
    """Return log-probabilities of heads, and of OLD's relations on gold arcs."""
    items = [
        parser.vocabulary.encode(data.train.items[row].sentence)
        for row in rows.tolist()
    ]
    batch = batch_of(items, torch.device("cpu"))
    network = parser.network
    views = network.encode(batch)
    arcs = network.arc_scores(views, batch.mask).log_softmax(dim=-1)
    heads = padded(
        [data.train.heads[row] for row in rows.tolist()],
        batch.mask.numpy(),
        torch.device("cpu"),
    )
    labels = network.label_scores_at(views, heads).log_softmax(dim=-1)
    return arcs.masked_fill(arcs.isneginf(), UNKNOWN_LOGIT).clone(), labels.clone()
