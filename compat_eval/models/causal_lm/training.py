"""A causal language model of transformers, trained on texts or on answers to questions.

The result is a directory that `hf:` and transformers itself open, too.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import torch
from numpy.lib.format import open_memmap
from pydantic import Field, ValidationInfo, field_validator
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.utils.checkpoint import checkpoint

from compat_eval.core.arrays import Ints
from compat_eval.core.errors import UsageError
from compat_eval.core.examples import Examples
from compat_eval.core.progress import Progress
from compat_eval.models.causal_lm.muscle import Muscle
from compat_eval.models.causal_lm.network import (
    hidden_at,
    logits_at,
    longest_of,
    read_network,
    stretches,
)
from compat_eval.models.causal_lm.teacher import TopTokens
from compat_eval.models.causal_lm.texts import (
    TokenSequence,
    padded,
    sequences_of,
)
from compat_eval.models.causal_lm.token_focal import TokenFocalDistillation
from compat_eval.models.classifiers.encoder import save_network
from compat_eval.models.packages import quiet_transformers
from compat_eval.models.training.loop import BatchSettings, fit_by_adamw, seeded
from compat_eval.models.training.train import Trainer

_BATCH = 16
"""How many sequences are read at once where nothing is learned."""


class TokenObjective(Protocol):
    """The loss of each token of a language model's training."""

    @property
    def teachers(self) -> tuple[str, ...]:
        """Whose top tokens it reads: `old`, `new`."""

    @property
    def temperature(self) -> float:
        """Of the teachers' probabilities."""

    def __call__(self, logits: Tensor, gold: Tensor, **teachers: TopTokens) -> Tensor:
        """Return the loss of each token, shape (n_positions,)."""


@dataclass(frozen=True, slots=True)
class _Nats:
    """Nats of the right token: a `TokenObjective`."""

    teachers: tuple[str, ...] = ()
    temperature: float = 1.0

    def __call__(self, logits: Tensor, gold: Tensor, **_: TopTokens) -> Tensor:
        return cross_entropy(logits, gold, reduction="none")


_OBJECTIVES: Mapping[str, Any] = {
    "nats": _Nats,
    "muscle": Muscle,
    "token-focal": TokenFocalDistillation,
}


class CausalSettings(BatchSettings):
    """Settings of `--model causal-lm`."""

    start: Path
    """Directory of the language model to begin from, with its tokenizer."""
    fresh: bool = False
    """Whether its weights are replaced by random ones."""
    objective: Literal["nats", "muscle", "token-focal"] = "nats"
    """The loss of a token."""
    objective_settings: dict[str, Any] = Field(default_factory=dict)
    """Parameters of the loss."""
    old: Path | None = None
    """Directory of OLD, where the loss reads it."""
    new: Path | None = None
    """Directory of the new task model, where the loss reads it."""
    top: int = Field(default=32, ge=1)
    """How many of a teacher's tokens are kept for each position."""
    longest: int = Field(default=1024, ge=2)
    """Largest number of tokens that are read at once."""
    epochs: int = Field(default=1, ge=1)
    batch_size: int = Field(default=8, ge=1)
    learning_rate: float = Field(default=1e-4, gt=0)
    warmup: float = Field(default=0.1, ge=0, lt=1)
    clip: float = Field(default=1.0, gt=0)
    patience: int = Field(default=2, ge=1)

    @field_validator("old", "new")
    @classmethod
    def _a_directory(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None and not value.expanduser().is_dir():
            raise ValueError(f"{info.field_name}: {value} is no directory")
        return value

    def made_objective(self) -> TokenObjective:
        """Return the objective.

        Raises:
            UsageError: It cannot take its settings, or lacks a teacher.

        """
        try:
            made: TokenObjective = _OBJECTIVES[self.objective](
                **self.objective_settings
            )
        except TypeError as error:
            raise UsageError(
                f"settings: objective_settings: {self.objective} cannot take "
                f"{self.objective_settings}: {error}"
            ) from error
        absent = [name for name in made.teachers if getattr(self, name) is None]
        if absent:
            raise UsageError(
                f"settings: objective: {self.objective} reads {' and '.join(absent)}; "
                "name their directories"
            )
        return made


def _train(
    examples: Examples,
    dev: Examples | None,
    settings: CausalSettings,
    *,
    seed: int,
    out: Path,
    progress: Progress,
) -> list[dict[str, Any]]:
    network, tokenizer = read_network(settings.start.expanduser())
    if settings.fresh:
        network = seeded(lambda: type(network)(network.config), seed)
    longest = min(settings.longest, longest_of(network))
    objective = settings.made_objective()
    texts = sequences_of(examples, tokenizer, longest)
    teachers = {
        name: _StoredTokens.made(
            out / f".{name}",
            getattr(settings, name).expanduser(),
            tokenizer,
            texts,
            k=settings.top,
            temperature=objective.temperature,
            progress=progress,
        )
        for name in objective.teachers
    }
    learner = _TokenLearner(
        network=network,
        objective=objective,
        texts=texts,
        positions=_positions(texts),
        teachers=teachers,
        dev=None if dev is None else sequences_of(dev, tokenizer, longest),
    )
    history = fit_by_adamw(learner, settings, seed=seed, out=out, progress=progress)
    with quiet_transformers():
        save_network(network, tokenizer, out, kind="causal-lm")
    return history


train = Trainer(settings=CausalSettings, run=_train)
"""Trains `--model causal-lm`."""


@dataclass(frozen=True, slots=True)
class _StoredTokens:
    """A teacher's top tokens for all predicted positions of texts, kept in files.

    Attributes:
        ids: Shape (n_positions, k), int32.
        log_p: Likewise, float16.

    """

    ids: Any
    log_p: Any

    @classmethod
    def made(
        cls,
        place: Path,
        directory: Path,
        tokenizer: Any,  # noqa: ANN401
        texts: Sequence[TokenSequence],
        *,
        k: int,
        temperature: float,
        progress: Progress,
    ) -> "_StoredTokens":
        """Ask a teacher, or find what it said before this training was interrupted.

        Raises:
            UsageError: It has another tokenizer.

        """
        files = [place.with_name(f"{place.name}-{one}.npy") for one in ("ids", "log_p")]
        if not all(one.is_file() for one in files):
            teacher, own = read_network(directory)
            _require_same_tokenizer(own, tokenizer, directory)
            drafts = [one.with_suffix(".part") for one in files]
            top = partial(TopTokens.of, k=k, temperature=temperature)
            _ask(teacher, texts, drafts, top, progress)
            for draft, path in zip(drafts, files, strict=True):
                draft.replace(path)
        return cls(*(np.load(one, mmap_mode="r") for one in files))

    def at(self, positions: Ints) -> TopTokens:
        """Return the top tokens at some positions."""
        return TopTokens(
            torch.from_numpy(self.ids[positions].astype(np.int64)),
            torch.from_numpy(self.log_p[positions].astype(np.float32)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _TokenLearner:
    """What the training of a language model fits: a `Learner`.

    Attributes:
        network: What is trained.
        objective: The loss of each token.
        texts: What to learn from.
        positions: Numbers of each text's predicted tokens among those of all texts.
        teachers: By name, what they think of every predicted token of the texts.
        dev: What to stop early by.

    """

    network: Any
    objective: TokenObjective
    texts: Sequence[TokenSequence]
    positions: Sequence[Ints]
    teachers: Mapping[str, _StoredTokens]
    dev: Sequence[TokenSequence] | None
    score: str = "tokens right"

    @property
    def lengths(self) -> Ints:
        """Length of each text."""
        return np.array([len(one) for one in self.texts], np.int64)

    def loss(self, rows: Sequence[int]) -> Tensor:
        """Return the mean loss of a predicted token of some texts."""
        ids, mask, at, places = padded([self.texts[row] for row in rows])
        hidden, gold = hidden_at(self.network, ids, mask, at, places), ids[at, places]
        numbers = np.concatenate([self.positions[row] for row in rows])
        parts = list(stretches(self.network, len(gold)))
        losses = []
        for part in parts:
            told = {name: one.at(numbers[part]) for name, one in self.teachers.items()}
            given = hidden[part], gold[part], told
            if len(parts) == 1:
                losses.append(self._lost(*given))
            else:  # its logits are computed again on the way back, and not kept
                losses.append(checkpoint(self._lost, *given, use_reentrant=False))
        return torch.stack(losses).sum() / len(gold)

    @torch.inference_mode()
    def dev_accuracy(self) -> float | None:
        """Return the share of dev tokens whose most probable one is right."""
        if self.dev is None:
            return None
        right = total = 0
        for batch in _batches(self.dev):
            ids, mask, at, places = padded([self.dev[row] for row in batch])
            gold = ids[at, places]
            hidden = hidden_at(self.network, ids, mask, at, places)
            for part in stretches(self.network, len(gold)):
                best = logits_at(self.network, hidden[part]).argmax(-1)
                right += int((best == gold[part]).sum())
            total += len(gold)
        return right / total

    def _lost(
        self, hidden: Tensor, gold: Tensor, told: Mapping[str, TopTokens]
    ) -> Tensor:
        return self.objective(logits_at(self.network, hidden), gold, **told).sum()


@torch.inference_mode()
def _ask(
    teacher: Any,  # noqa: ANN401
    texts: Sequence[TokenSequence],
    files: Sequence[Path],
    top: Callable[[Tensor], TopTokens],
    progress: Progress,
) -> None:
    """Write a teacher's top tokens, in the order of the texts."""
    numbers = _positions(texts)
    written: list[Any] = []
    progress.start("teacher", total=len(texts))
    for batch in _batches(texts):
        ids, mask, at, places = padded([texts[row] for row in batch])
        where = np.concatenate([numbers[row] for row in batch])
        hidden = hidden_at(teacher, ids, mask, at, places)
        for part in stretches(teacher, len(where)):
            found = top(logits_at(teacher, hidden[part]))
            if not written:
                shape = (sum(map(len, numbers)), found.ids.shape[1])
                kinds = zip(files, (np.int32, np.float16), strict=True)
                written = [open_memmap(file, "w+", kind, shape) for file, kind in kinds]
            written[0][where[part]] = found.ids.numpy()
            written[1][where[part]] = found.log_p.numpy()
        progress.advance(len(batch))
    progress.stop()
    for one in written:
        one.flush()


def _positions(texts: Sequence[TokenSequence]) -> list[Ints]:
    """Return the numbers of each text's predicted tokens among those of all texts."""
    ends = np.cumsum([one.n_predicted for one in texts])
    return [
        np.arange(end - one.n_predicted, end)
        for end, one in zip(ends, texts, strict=True)
    ]


def _batches(texts: Sequence[TokenSequence]) -> list[list[int]]:
    order = np.argsort([len(one) for one in texts], kind="stable").tolist()
    return [order[at : at + _BATCH] for at in range(0, len(order), _BATCH)]


def _require_same_tokenizer(own: Any, other: Any, directory: Path) -> None:  # noqa: ANN401
    if own.get_vocab() != other.get_vocab():
        raise UsageError(
            f"{directory} has another vocabulary than the model that is trained: the "
            "same numbers would be other tokens, and what one thinks of a token says "
            "nothing to the other. Token by token only models of one tokenizer can be "
            "made compatible"
        )
