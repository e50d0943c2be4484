"""A pretrained encoder of transformers, fine-tuned as a classifier.

The result is a directory that `hf:` and transformers itself open, too.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from pydantic import Field
from torch import Tensor

from compat_eval.core.errors import ModelError, UsageError
from compat_eval.core.examples import Examples
from compat_eval.core.files import read_json, write_whole
from compat_eval.core.progress import Progress
from compat_eval.models.classifiers.starting import begin_from
from compat_eval.models.classifiers.training import (
    ClassifierLearner,
    ClassifierSettings,
    LabelledTexts,
)
from compat_eval.models.encoders.pretrained import load_tokenizer, read_encoder
from compat_eval.models.packages import quiet_transformers
from compat_eval.models.training.data import label_names, texts_and_labels
from compat_eval.models.training.loop import fit_by_adamw, parameter_groups
from compat_eval.models.training.train import Trainer


class _EncoderSettings(ClassifierSettings):
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
    learning_rate: float = Field(default=1e-4, gt=0)
    weight_decay: float = Field(default=0.01, ge=0)
    warmup: float = Field(default=0.1, ge=0, lt=1)
    clip: float = Field(default=1.0, gt=0)
    patience: int = Field(default=2, ge=1)


def _train(
    examples: Examples,
    dev: Examples | None,
    settings: _EncoderSettings,
    *,
    seed: int,
    out: Path,
    progress: Progress,
) -> list[dict[str, Any]]:
    labels = label_names(texts_and_labels(examples)[1])
    tokenizer, network = _pretrained(settings, labels, seed)
    if settings.start is not None:
        _begin(network, tokenizer, settings.start.expanduser(), labels)
    network.get_input_embeddings().requires_grad_(settings.train_embeddings)
    longest = min(settings.longest, tokenizer.model_max_length)

    def encode(texts: list[str]) -> list[list[int]]:
        encoded = tokenizer(texts, truncation=True, max_length=longest)
        return [list(ids) for ids in encoded["input_ids"]]

    def logits(ids: Sequence[list[int]]) -> Tensor:
        batch = tokenizer.pad({"input_ids": list(ids)}, return_tensors="pt")
        found: Tensor = network(
            input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]
        ).logits
        return found

    objective = settings.made_objective()
    learner = ClassifierLearner(
        network=network,
        logits=logits,
        objective=objective,
        train=LabelledTexts.of(examples, labels, encode, columns=objective.columns),
        dev=None if dev is None else LabelledTexts.of(dev, labels, encode),
    )
    prefix = f"{network.base_model_prefix}."
    history = fit_by_adamw(
        learner,
        settings,
        groups=parameter_groups(network, prefix, others=settings.head_scale),
        seed=seed,
        out=out,
        progress=progress,
    )
    with quiet_transformers():
        save_network(network, tokenizer, out, kind="encoder")
    return history


train = Trainer(settings=_EncoderSettings, run=_train)
"""Trains `--model encoder`."""


def _pretrained(
    settings: _EncoderSettings, labels: tuple[str, ...], seed: int
) -> tuple[Any, Any]:
    directory = settings.encoder.expanduser()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = read_encoder(
            directory,
            transformers.AutoModelForSequenceClassification,
            num_labels=len(labels),
            id2label=dict(enumerate(labels)),
            label2id={label: number for number, label in enumerate(labels)},
        )
    tokenizer = load_tokenizer(directory, str(directory))
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


def _begin(
    network: Any,  # noqa: ANN401
    tokenizer: Any,  # noqa: ANN401
    start: Path,
    labels: Sequence[str],
) -> None:
    """Begin from the weights of a fine-tuned encoder.

    Raises:
        UsageError: It has another architecture, vocabulary, or no such labels.

    """
    linear = [
        name
        for name, module in network.named_modules()
        if isinstance(module, torch.nn.Linear) and module.out_features == len(labels)
    ]
    begin_from(network, start, kind="encoder", labels=labels, head=linear[-1])
    theirs = load_tokenizer(start, str(start))
    if theirs.get_vocab() != tokenizer.get_vocab():
        raise UsageError(
            f"settings: start: {start} has another vocabulary than the encoder; the "
            "same numbers would be other pieces of words. Begin from a model that was "
            "fine-tuned from the same encoder, or leave start out"
        )


def save_network(network: Any, tokenizer: Any, out: Path, *, kind: str) -> None:  # noqa: ANN401
    """Write a network of transformers as a model of ours, the same bytes everywhere.

    Args:
        network: The network.
        tokenizer: Its tokenizer.
        out: The directory.
        kind: Under which name it is opened.

    """
    network.save_pretrained(out)
    tokenizer.save_pretrained(out)
    ours = {"compat_eval": {"kind": kind, "schema_version": 1}}
    for name, added in (("config.json", ours), ("tokenizer_config.json", {})):
        path = out / name
        config = read_json(path, finite=False)
        # A path would make equal models differ.
        kept = {k: v for k, v in config.items() if k.lstrip("_") != "name_or_path"}
        text = json.dumps({**kept, **added}, indent=1, sort_keys=True)
        write_whole(path, f"{text}\n".encode())
