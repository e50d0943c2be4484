"""How the biaffine parser is trained."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from compat_eval.core.examples import Examples
from compat_eval.core.progress import Progress
from compat_eval.models.biaffine.network import BiaffineNetwork, BiaffineSizes
from compat_eval.models.parsing.batching import SentenceBatch
from compat_eval.models.parsing.training import (
    ParserData,
    ParserLearner,
    ParserSettings,
    train_parser,
)
from compat_eval.models.parsing.vocabulary import Vocabulary
from compat_eval.models.training.loop import seeded
from compat_eval.models.training.objectives.parsing import arc_and_label_loss
from compat_eval.models.training.train import Trainer


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


def _train(
    examples: Examples,
    dev: Examples | None,
    settings: BiaffineSettings,
    *,
    seed: int,
    out: Path,
    progress: Progress,
) -> list[dict[str, Any]]:
    data = ParserData.of(examples, dev, min_count=settings.min_count)
    sizes = settings.sizes(data.vocabulary)
    network = seeded(lambda: BiaffineNetwork(sizes), seed)

    def loss(rows: Sequence[int]) -> Tensor:
        batch, heads, labels = data.train.batch(rows)
        views, real = network.encode(batch), batch.is_word
        return arc_and_label_loss(
            network.arc_scores(views, batch.mask)[real],
            network.label_scores_at(views, heads)[real],
            heads[real],
            labels[real],
        )

    def found(batch: SentenceBatch) -> tuple[Tensor, Tensor]:
        """Return each word's best head, before trees are made."""
        views = network.encode(batch)
        heads = network.arc_scores(views, batch.mask).argmax(dim=-1)
        return heads, network.label_scores_at(views, heads).argmax(dim=-1)

    learner = ParserLearner(network=network, data=data, loss=loss, found=found)
    return train_parser(
        "biaffine", learner, settings, seed=seed, out=out, progress=progress
    )


train = Trainer(settings=BiaffineSettings, run=_train)
"""Trains `--model biaffine`."""
