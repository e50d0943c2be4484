"""How the biaffine parser is trained."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from compat_eval.core.arrays import Ints
from compat_eval.core.examples import Examples
from compat_eval.models.biaffine.network import BiaffineNetwork, BiaffineSizes
from compat_eval.models.parsing.batching import packed, shuffled
from compat_eval.models.parsing.training import (
    EncodedTreebank,
    ParserSettings,
    adam,
    save,
    treebank,
)
from compat_eval.models.parsing.vocabulary import Vocabulary
from compat_eval.models.training.loop import fit, seeded
from compat_eval.models.training.train import CHECKPOINT, Progress, settings_from

_DEV_TOKENS = 4000


class BiaffineSettings(ParserSettings):
    """Settings of `--model biaffine`."""

    def sizes(self, vocabulary: Vocabulary) -> BiaffineSizes:
        """Return the sizes of a network for a vocabulary."""
        return BiaffineSizes(
            encoder=self.encoder_sizes(vocabulary),
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
    """Train; see `compat_eval.models.training.train.Trainer`."""
    settings = settings_from(BiaffineSettings, config)
    sentences, trees = treebank(examples)
    vocabulary = Vocabulary.of(sentences, trees, min_count=settings.min_count)
    sizes = settings.sizes(vocabulary)
    learner = _Learner(
        network=seeded(lambda: BiaffineNetwork(sizes), seed),
        train=EncodedTreebank.of(vocabulary, sentences, trees),
        dev=None if dev is None else EncodedTreebank.of(vocabulary, *treebank(dev)),
    )
    history = fit(
        learner,
        settings,
        optimizer=adam(learner.network),
        batches=partial(shuffled, learner.lengths, settings.batch_tokens),
        seed=seed,
        checkpoint=out / CHECKPOINT,
        progress=progress,
    )
    save_parser(learner.network, vocabulary, out)
    return history


def save_parser(network: BiaffineNetwork, vocabulary: Vocabulary, out: Path) -> None:
    """Write what `biaffine_parser.load` reads."""
    save("biaffine", network, asdict(network.sizes), vocabulary, out)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Learner:
    network: BiaffineNetwork
    train: EncodedTreebank
    dev: EncodedTreebank | None
    score: str = "LAS"

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
