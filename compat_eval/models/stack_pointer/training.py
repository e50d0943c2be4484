"""How the stack-pointer parser is trained."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from compat_eval.core.arrays import Ints
from compat_eval.core.errors import DataError
from compat_eval.core.examples import Examples
from compat_eval.models.decoding.search import beam_search
from compat_eval.models.parsing.batching import packed, shuffled
from compat_eval.models.parsing.sentence import Tree
from compat_eval.models.parsing.training import (
    EncodedTreebank,
    ParserSettings,
    adam,
    save,
    treebank,
)
from compat_eval.models.parsing.vocabulary import Vocabulary
from compat_eval.models.stack_pointer.actions import Actions, Steps, actions_of
from compat_eval.models.stack_pointer.network import (
    StackPointerNetwork,
    StackPointerSizes,
)
from compat_eval.models.stack_pointer.search import ParserVote, TreeBuilder
from compat_eval.models.training.loop import fit, seeded
from compat_eval.models.training.train import CHECKPOINT, Progress, settings_from

_CPU = torch.device("cpu")
_DEV_TOKENS = 4000


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


def train(
    examples: Examples,
    dev: Examples | None,
    *,
    seed: int,
    out: Path,
    config: Mapping[str, Any],
    progress: Progress,
) -> list[dict[str, Any]]:
    """Train; see `compat_eval.models.training.train.Trainer`.

    Raises:
        DataError: A gold tree is none, or has not one root.

    """
    settings = settings_from(StackPointerSettings, config)
    sentences, trees = treebank(examples)
    vocabulary = Vocabulary.of(sentences, trees, min_count=settings.min_count)
    sizes = settings.sizes(vocabulary)
    learner = _Learner(
        network=seeded(lambda: StackPointerNetwork(sizes), seed),
        train=EncodedTreebank.of(vocabulary, sentences, trees),
        actions=_actions(trees),
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


def save_parser(
    network: StackPointerNetwork, vocabulary: Vocabulary, out: Path
) -> None:
    """Write what `stack_pointer_parser.load` reads."""
    save("stack-pointer", network, asdict(network.sizes), vocabulary, out)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Learner:
    network: StackPointerNetwork
    train: EncodedTreebank
    actions: list[Actions]
    dev: EncodedTreebank | None
    score: str = "LAS"

    @property
    def lengths(self) -> Ints:
        return self.train.lengths

    def loss(self, rows: Sequence[int]) -> Tensor:
        """Return mean nats for a word of all actions that build the gold trees."""
        batch, _, _ = self.train.batch(rows)
        steps = Steps.of(
            [self.actions[row] for row in rows],
            [self.train.labels[row] for row in rows],
            _CPU,
            width=batch.words.shape[1],
        )
        nats = self.network.step_nats(self.network.encode(batch), steps)
        return -nats.sum() / (batch.lengths - 1).sum()

    @torch.inference_mode()
    def dev_accuracy(self) -> float | None:
        """Labelled attachment of the trees that are found without a beam."""
        if self.dev is None:
            return None
        right = words = 0
        for rows in packed(self.dev.lengths, _DEV_TOKENS):
            batch, heads, labels = self.dev.batch(rows.tolist())
            memory = self.network.encode(batch)
            vote = ParserVote(network=self.network, memory=memory)
            found = beam_search(TreeBuilder([vote], batch.lengths), 1)
            real = batch.mask
            real[:, 0] = False
            same = (found.heads[:, 0] == heads) & (found.labels[:, 0] == labels)
            right += int((same & real).sum())
            words += int(real.sum())
        return right / words


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
