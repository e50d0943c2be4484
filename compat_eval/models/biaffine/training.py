"""How the biaffine parser is trained."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import Field
from torch import Tensor

from compat_eval.core.examples import Examples
from compat_eval.core.progress import Progress
from compat_eval.models.biaffine.network import BiaffineNetwork, BiaffineSizes
from compat_eval.models.biaffine.starting import begin_from
from compat_eval.models.biaffine.teacher import ArcTeacher
from compat_eval.models.parsing.batching import SentenceBatch
from compat_eval.models.parsing.training import (
    ParserData,
    ParserLearner,
    ParserSettings,
    train_parser,
)
from compat_eval.models.parsing.vocabulary import Vocabulary
from compat_eval.models.training.loop import seeded
from compat_eval.models.training.objectives.arc_focal_distillation import (
    arc_focal_distance,
)
from compat_eval.models.training.objectives.parsing import arc_and_label_loss
from compat_eval.models.training.train import Trainer


class BiaffineSettings(ParserSettings):
    """Settings of `--model biaffine`."""

    start: Path | None = None
    """Directory of a trained biaffine parser, from whose weights to begin."""
    teacher: Path | None = None
    """Directory of a trained biaffine parser to be like, word by word."""
    teacher_share: float = Field(default=1.0, ge=0)
    """Weight of the distance from the teacher beside the nats of gold."""
    teacher_alpha: float = Field(default=1.0, ge=0)
    """Weight of every word's distance."""
    teacher_beta: float = Field(default=5.0, ge=0)
    """Further weight of words whose head the teacher gets right."""
    teacher_temperature: float = Field(default=1.0, gt=0)
    """Of both parsers' probabilities."""

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
    if settings.start is not None:
        begin_from(network, data.vocabulary, settings.start.expanduser())
    teacher = None
    if settings.teacher is not None:
        teacher = ArcTeacher.of(settings.teacher.expanduser(), data)

    def loss(rows: Sequence[int]) -> Tensor:
        batch, heads, labels = data.train.batch(rows)
        views, real = network.encode(batch), batch.is_word
        arcs = network.arc_scores(views, batch.mask)[real]
        on_gold = network.label_scores_at(views, heads)[real]
        nats = arc_and_label_loss(arcs, on_gold, heads[real], labels[real])
        if teacher is None:
            return nats
        told, named = (one[real] for one in teacher.batch(rows, batch.mask.shape[1]))
        return nats + settings.teacher_share * arc_focal_distance(
            arcs,
            on_gold,
            teacher_arcs=told,
            teacher_labels=named,
            right=(told.argmax(dim=-1) == heads[real]).float(),
            alpha=settings.teacher_alpha,
            beta=settings.teacher_beta,
            temperature=settings.teacher_temperature,
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
