"""How small language models are trained from scratch, on documents nobody labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor
from torch.nn.functional import cross_entropy

from compat_eval.core.arrays import Ints
from compat_eval.core.errors import DataError
from compat_eval.core.examples import Examples
from compat_eval.core.progress import Progress
from compat_eval.models.language_models.model import NETWORKS, SmallLanguageModel
from compat_eval.models.language_models.network import CausalNetwork
from compat_eval.models.language_models.tokens import (
    TokenKind,
    trained_tokenizer,
    write_tokenizer,
)
from compat_eval.models.training.loop import BatchSettings, fit_by_adamw, seeded
from compat_eval.models.training.saved_weights import write_model
from compat_eval.models.training.train import Trainer

_DEV_BATCH = 64


class LanguageModelSettings(BatchSettings):
    """Settings of `--model language-model`."""

    tokens: TokenKind = "bpe"
    """What texts are cut into: byte, char, word or bpe."""
    vocabulary: int = Field(default=2000, ge=3)
    """Most tokens, of char, word and bpe."""
    min_count: int = Field(default=2, ge=1)
    """How often a token must occur, or a pair of bytes that is merged."""
    network: Literal["transformer", "gru"] = "transformer"
    width: int = Field(default=64, ge=2)
    """Numbers in a hidden state; of the transformer a multiple of `heads`."""
    layers: int = Field(default=2, ge=1)
    heads: int = Field(default=4, ge=1)
    """Attention heads of the transformer."""
    longest: int = Field(default=128, ge=2)
    """How many tokens are read at once; longer documents are cut in training."""
    dropout: float = Field(default=0.1, ge=0, lt=1)
    epochs: int = Field(default=10, ge=1)
    weight_decay: float = Field(default=0.01, ge=0)
    clip: float = Field(default=1.0, gt=0)

    @model_validator(mode="after")
    def _divides(self) -> "LanguageModelSettings":
        if self.network == "transformer" and self.width % self.heads:
            raise ValueError(
                f"width must be a multiple of heads; got {self.width} and {self.heads}"
            )
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the examples that a training reads."""
        return ("input",)

    def sizes(self, n_tokens: int) -> dict[str, Any]:
        """Return the arguments of the network."""
        found = {
            "n_tokens": n_tokens,
            "width": self.width,
            "layers": self.layers,
            "dropout": self.dropout,
        }
        if self.network == "transformer":
            found |= {"heads": self.heads, "longest": self.longest}
        return found


def pieces(model: SmallLanguageModel, texts: Sequence[str]) -> list[list[int]]:
    """Return the token ids of texts as they are trained on, cut where they are long.

    Each piece begins with a token that is context alone: that which stands before every
    text, or the last token of the piece before. A text without tokens has no piece.
    """
    cut = []
    for item in model.encode(texts):
        ids = list(item.ids)
        step = model.longest - 1
        cut += [
            ids[start : start + model.longest] for start in range(0, len(ids) - 1, step)
        ]
    return cut


def token_nats(network: CausalNetwork, rows: Sequence[Sequence[int]]) -> Tensor:
    """Return the nats of every token that is predicted, 0 where there is none.

    Args:
        network: The network.
        rows: Token ids; the first of each is context alone.

    Returns:
        Shape (n_rows, longest row − 1).

    """
    longest = max(map(len, rows))
    filled = [[*row, *[-1] * (longest - len(row))] for row in rows]
    ids = torch.tensor(filled, device=network.tokens.device)
    logits: Tensor = network(ids[:, :-1].clamp(min=0))
    return cross_entropy(
        logits.transpose(1, 2), ids[:, 1:], ignore_index=-1, reduction="none"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageModelLearner:
    """What the training of a language model fits: a `Learner`.

    Attributes:
        network: What is trained.
        train: Token ids of pieces of texts.
        dev: Likewise, to stop early by.

    """

    network: CausalNetwork
    train: Sequence[Sequence[int]]
    dev: Sequence[Sequence[int]] | None
    score: str = "1 / perplexity"

    @property
    def lengths(self) -> Ints:
        """Length of each piece."""
        return np.array([len(row) for row in self.train], np.int64)

    def loss(self, rows: Sequence[int]) -> Tensor:
        """Return mean nats a token of some pieces."""
        some = [self.train[row] for row in rows]
        n_tokens = sum(len(row) - 1 for row in some)
        return token_nats(self.network, some).sum() / n_tokens

    @torch.inference_mode()
    def dev_accuracy(self) -> float | None:
        """Return 1 / perplexity on dev: the geometric mean of what tokens got."""
        if self.dev is None:
            return None
        order = sorted(self.dev, key=len)
        batches = [
            order[at : at + _DEV_BATCH] for at in range(0, len(order), _DEV_BATCH)
        ]
        nats = sum(float(token_nats(self.network, rows).sum()) for rows in batches)
        return float(np.exp(-nats / sum(len(row) - 1 for row in order)))


def _train(
    examples: Examples,
    dev: Examples | None,
    settings: LanguageModelSettings,
    *,
    seed: int,
    out: Path,
    progress: Progress,
) -> list[dict[str, Any]]:
    texts = texts_of(examples)
    tokenizer = trained_tokenizer(
        settings.tokens,
        texts,
        size=settings.vocabulary,
        min_count=settings.min_count,
    )
    sizes = settings.sizes(tokenizer.get_vocab_size())
    network = seeded(lambda: NETWORKS[settings.network](**sizes), seed)
    model = SmallLanguageModel(
        network=network, tokenizer=tokenizer, longest=settings.longest
    )
    learner = LanguageModelLearner(
        network=network,
        train=pieces(model, texts),
        dev=None if dev is None else pieces(model, texts_of(dev)) or None,
    )
    history = fit_by_adamw(learner, settings, seed=seed, out=out, progress=progress)
    write_language_model(model, settings, out)
    return history


train = Trainer(settings=LanguageModelSettings, run=_train)
"""Trains `--model language-model`."""


def write_language_model(
    model: SmallLanguageModel, settings: LanguageModelSettings, out: Path
) -> None:
    """Write a model that `compat:` reads."""
    write_tokenizer(model.tokenizer, out)
    weights = {
        name: tensor.detach().cpu().contiguous()
        for name, tensor in model.network.state_dict().items()
    }
    config = {
        "labels": [],
        "longest": settings.longest,
        "network": settings.network,
        "sizes": dict(sorted(settings.sizes(len(model.network.tokens)).items())),
    }
    write_model(out, weights, "language-model", config)


def texts_of(examples: Examples) -> list[str]:
    """Return the inputs of examples.

    Raises:
        DataError: One is no text.

    """
    texts: list[Any] = examples.column("input").to_pylist()
    wrong = [i for i, text in enumerate(texts) if not isinstance(text, str)]
    if wrong:
        raise DataError(
            f"cannot train on {len(wrong)} examples whose input is no text; the first "
            f"is {examples.ids[wrong[0]].as_py()!r}"
        )
    return texts
