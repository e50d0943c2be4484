"""A pretrained encoder of transformers, fine-tuned as a classifier.

The result is a directory that `hf:` and transformers itself open, too.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from pydantic import Field
from torch import Tensor
from torch.nn.functional import cross_entropy

from compat_eval.core.arrays import Ints
from compat_eval.core.errors import ModelError
from compat_eval.core.examples import Examples
from compat_eval.core.files import read_json, write_whole
from compat_eval.models.training.loop import FitSettings, by_length, fit
from compat_eval.models.training.train import (
    CHECKPOINT,
    Progress,
    label_names,
    settings_from,
    texts_and_labels,
)

_DEV_BATCH = 64


class EncoderSettings(FitSettings):
    """Settings of `--model encoder`."""

    encoder: Path
    """Directory of the pretrained encoder and its tokenizer."""
    longest: int = Field(default=128, ge=3)
    """Largest number of tokens of a text in training."""
    head_scale: float = Field(default=10.0, gt=0)
    """Learning rate of the new head, as a multiple of the encoder's."""
    train_embeddings: bool = True
    """Whether word embeddings change, too; without them a step takes less time."""
    epochs: int = Field(default=4, ge=1)
    batch_size: int = Field(default=32, ge=1)
    learning_rate: float = Field(default=1e-4, gt=0)
    weight_decay: float = Field(default=0.01, ge=0)
    warmup: float = Field(default=0.1, ge=0, lt=1)
    clip: float = Field(default=1.0, gt=0)
    patience: int = Field(default=2, ge=1)


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
    settings = settings_from(EncoderSettings, config)
    texts, gold = texts_and_labels(examples)
    labels = label_names(gold)
    with quiet():
        tokenizer, network = _pretrained(settings, labels, seed)
    network.get_input_embeddings().requires_grad_(settings.train_embeddings)
    learner = _Learner(
        network=network,
        tokenizer=tokenizer,
        head_scale=settings.head_scale,
        ids=_encoded(tokenizer, texts, settings.longest),
        gold=torch.tensor([labels.index(label) for label in gold]),
        dev=_dev(dev, tokenizer, labels, settings.longest),
    )
    history = fit(
        learner,
        settings,
        optimizer=torch.optim.AdamW(
            learner.groups(), weight_decay=settings.weight_decay, fused=True
        ),
        batches=by_length(learner.lengths, settings.batch_size),
        seed=seed,
        checkpoint=out / CHECKPOINT,
        progress=progress,
    )
    with quiet():
        _save(learner, out)
    return history


@dataclass(frozen=True, slots=True, kw_only=True)
class _Learner:
    network: Any
    tokenizer: Any
    head_scale: float
    ids: list[list[int]]
    gold: Tensor
    dev: tuple[list[list[int]], list[int]] | None
    score: str = "accuracy"

    def groups(self) -> list[dict[str, Any]]:
        prefix = f"{self.network.base_model_prefix}."
        named = list(self.network.named_parameters())
        body = [weight for name, weight in named if name.startswith(prefix)]
        head = [weight for name, weight in named if not name.startswith(prefix)]
        return [
            {"params": body, "scale": 1.0},
            {"params": head, "scale": self.head_scale},
        ]

    @property
    def lengths(self) -> Ints:
        return np.array([len(ids) for ids in self.ids], np.int64)

    def loss(self, rows: Sequence[int]) -> Tensor:
        logits = self._logits([self.ids[row] for row in rows])
        return cross_entropy(logits, self.gold[list(rows)])

    def dev_accuracy(self) -> float | None:
        if self.dev is None:
            return None
        texts, gold = self.dev
        order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
        right = 0
        with torch.inference_mode():
            for start in range(0, len(order), _DEV_BATCH):
                rows = order[start : start + _DEV_BATCH]
                answers = self._logits([texts[row] for row in rows]).argmax(-1)
                expected = torch.tensor([gold[row] for row in rows])
                right += int((answers == expected).sum())
        return right / len(texts)

    def _logits(self, ids: list[list[int]]) -> Tensor:
        batch = self.tokenizer.pad({"input_ids": ids}, return_tensors="pt")
        logits: Tensor = self.network(
            input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]
        ).logits
        return logits


def _pretrained(
    settings: EncoderSettings, labels: tuple[str, ...], seed: int
) -> tuple[Any, Any]:
    directory = settings.encoder.expanduser()
    if not (directory / "config.json").is_file():
        raise ModelError(
            f"{directory}: no config.json; --encoder names the directory of a "
            "pretrained encoder of transformers"
        )
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = transformers.AutoModelForSequenceClassification.from_pretrained(
                directory,
                num_labels=len(labels),
                id2label=dict(enumerate(labels)),
                label2id={label: number for number, label in enumerate(labels)},
                dtype=torch.float32,
                use_safetensors=True,
                local_files_only=True,
            )
        tokenizer = transformers.AutoTokenizer.from_pretrained(
            directory, local_files_only=True
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelError(
            f"{directory}: cannot be read as a pretrained encoder: {error}"
        ) from error
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    if tokenizer.pad_token_id is None:
        raise ModelError(
            f"{directory}: its tokenizer has no padding token; name one as `pad_token` "
            "in tokenizer_config.json"
        )
    # A decoder looks for the last token before the padding of its configuration.
    network.config.pad_token_id = tokenizer.pad_token_id
    return tokenizer, network


def _encoded(tokenizer: Any, texts: list[str], longest: int) -> list[list[int]]:  # noqa: ANN401
    longest = min(longest, tokenizer.model_max_length)
    encoded = tokenizer(texts, truncation=True, max_length=longest)
    return [list(ids) for ids in encoded["input_ids"]]


def _dev(
    dev: Examples | None,
    tokenizer: Any,  # noqa: ANN401
    labels: tuple[str, ...],
    longest: int,
) -> tuple[list[list[int]], list[int]] | None:
    """Return dev texts and label ids; -1, never right, for a label not in training."""
    if dev is None:
        return None
    texts, gold = texts_and_labels(dev)
    number = {label: i for i, label in enumerate(labels)}
    return _encoded(tokenizer, texts, longest), [number.get(g, -1) for g in gold]


def _save(learner: _Learner, out: Path) -> None:
    learner.network.save_pretrained(out)
    learner.tokenizer.save_pretrained(out)
    ours = {"compat_eval": {"kind": "encoder", "schema_version": 1}}
    for name, added in (("config.json", ours), ("tokenizer_config.json", {})):
        path = out / name
        config = read_json(path, finite=False)
        # A path would make equal models differ.
        kept = {k: v for k, v in config.items() if k.lstrip("_") != "name_or_path"}
        text = json.dumps({**kept, **added}, indent=1, sort_keys=True)
        write_whole(path, f"{text}\n".encode())


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers' progress bars and notes off the terminal."""
    log: Any = transformers.utils.logging
    level, bar = log.get_verbosity(), log.is_progress_bar_enabled()
    log.set_verbosity_error()
    log.disable_progress_bar()
    try:
        yield
    finally:
        log.set_verbosity(level)
        if bar:
            log.enable_progress_bar()
