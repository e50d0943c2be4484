"""How the stack-pointer parser is trained."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from compat_eval.core.errors import DataError
from compat_eval.core.examples import Examples
from compat_eval.core.progress import Progress
from compat_eval.models.decoding.search import beam_search
from compat_eval.models.parsing.batching import SentenceBatch
from compat_eval.models.parsing.sentence import Tree
from compat_eval.models.parsing.training import (
    ParserData,
    ParserLearner,
    ParserSettings,
    train_parser,
)
from compat_eval.models.parsing.vocabulary import Vocabulary
from compat_eval.models.stack_pointer.actions import Actions, PaddedActions, actions_of
from compat_eval.models.stack_pointer.network import (
    StackPointerNetwork,
    StackPointerSizes,
)
from compat_eval.models.stack_pointer.search import ParserVote, TreeBuilder
from compat_eval.models.training.loop import seeded
from compat_eval.models.training.objectives.parsing import sequence_loss
from compat_eval.models.training.train import Trainer

_CPU = torch.device("cpu")


class StackPointerSettings(ParserSettings):
    """Settings of `--model stack-pointer`."""

    input_width: int = Field(default=128, ge=1)
    """Numbers that stand for the stack, as the decoder reads it."""
    decoder: int = Field(default=256, ge=1)
    """Cells of the decoder."""

    def sizes(self, vocabulary: Vocabulary) -> StackPointerSizes:
        """Return the sizes of a network for a vocabulary."""
        return StackPointerSizes(
            encoder=self.encoder_sizes(vocabulary),
            input_width=self.input_width,
            decoder=self.decoder,
            arc_width=self.arc_width,
            label_width=self.label_width,
            labels=len(vocabulary.labels),
        )


def _train(
    examples: Examples,
    dev: Examples | None,
    settings: StackPointerSettings,
    *,
    seed: int,
    out: Path,
    progress: Progress,
) -> list[dict[str, Any]]:
    """Train.

    Raises:
        DataError: A gold tree is none, or has not one root.

    """
    data = ParserData.of(examples, dev, min_count=settings.min_count)
    sizes = settings.sizes(data.vocabulary)
    network = seeded(lambda: StackPointerNetwork(sizes), seed)
    actions = _actions(data.trees)

    def loss(rows: Sequence[int]) -> Tensor:
        """Return mean nats for a word of all actions that build the gold trees."""
        batch, _, _ = data.train.batch(rows)
        steps = PaddedActions.of(
            [actions[row] for row in rows],
            [data.train.labels[row] for row in rows],
            _CPU,
            width=batch.words.shape[1],
        )
        nats = network.step_nats(network.encode(batch), steps)
        return sequence_loss(nats, (batch.lengths - 1).sum())

    def found(batch: SentenceBatch) -> tuple[Tensor, Tensor]:
        """Return the trees that are found without a beam."""
        vote = ParserVote(network=network, memory=network.encode(batch))
        trees = beam_search(TreeBuilder([vote], batch.lengths), 1)
        return trees.heads[:, 0], trees.labels[:, 0]

    learner = ParserLearner(network=network, data=data, loss=loss, found=found)
    return train_parser(
        "stack-pointer", learner, settings, seed=seed, out=out, progress=progress
    )


train = Trainer(settings=StackPointerSettings, run=_train)
"""Trains `--model stack-pointer`."""


def _actions(trees: Sequence[Tree]) -> list[Actions]:
    found = []
    for tree in trees:
        try:
            found.append(actions_of(tree.heads))
        except ValueError as error:
            raise DataError(f"cannot train on a gold answer: {error}") from error
        if np.count_nonzero(np.array(tree.heads) == 0) != 1:
            raise DataError(
                f"cannot train on a gold tree without exactly one root: {tree.heads}"
            )
    return found
